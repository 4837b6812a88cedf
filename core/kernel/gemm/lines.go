package gemm

// lines are lines of a as a kernel reads them: rows of words, stride apart, or columns of such
// rows, or (stride 0) panels of at most height lines, panel r at data[r*words].
type lines struct {
	data    []float32
	stride  int
	columns bool
}

// load makes lines [i, i+rows) of a readable. They stay in place if the kernel can read them
// there. Otherwise they become rows of words, if elements must be converted, or panels.
func (t *part) load(i, rows int) lines {
	switch {
	case t.row == nil && t.readable(rows):
		return lines{t.A.Data[t.A.at(i, t.k):], t.A.Stride, t.A.Columns}
	case t.row == nil || t.A.Columns:
		t.packBlock(i, rows)
		return lines{t.a[:], 0, false}
	}
	stride := (t.words() + 15) &^ 15
	for r := range rows {
		t.row(t.a[r*stride:][:stride], t.A.Data[t.A.at(i+r, t.k):][:t.kc], t.A.Stride)
	}
	return lines{t.a[:], stride, false}
}

// readable reports whether to multiply the given number of lines of a in place. Packing them
// takes at least as long as multiplying them by a panel. But rows of memory that are a multiple
// of pages apart compete for the same few lines of all caches, and the panels would evict them
// one after another.
func (t *part) readable(rows int) bool {
	if t.A.Columns && t.across == nil {
		return false
	}
	return rows <= nearRows && !t.A.Columns || t.A.Stride%pageWords != 0
}

// packBlock packs lines [i, i+rows) of a in the layout that tiles read.
func (t *part) packBlock(i, rows int) {
	done := 0
	if t.A.Columns && t.packSide != nil && t.kc%t.perWord == 0 {
		done = rows / t.height * t.height
		t.packSide(t.a[:], t.A, i, done/t.height, t.height, t.k, t.kc)
	}
	for r := done; r < rows; r += t.height {
		n := min(t.height, rows-r)
		t.pack(t.a[r*t.words():], t.A, i+r, n, t.k, t.kc, n)
	}
}
