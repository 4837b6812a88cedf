package gemm

// packNEON transposes rows in blocks of 4 lines by 4 depths. It may pack the last four lines
// twice, so that it never reads or writes beyond them. Go packs columns, the rest of the depth,
// and fewer than four lines.
func packNEON(dst []float32, o Operand, i, lines, k, kc, width int) {
	whole := kc / 4 * 4
	if o.Columns || lines < 4 || whole == 0 {
		packPortable(dst, o, i, lines, k, kc, width)
		return
	}
	for r := 0; r < lines; r += 4 {
		r := min(r, lines-4)
		var at [4]*float32
		for l := range at {
			line := o.Data[o.at(i+r+l, k):][:whole]
			at[l] = &line[0]
		}
		part := dst[r:][:(whole-1)*width+4]
		neonTranspose(uint64(whole/4), &at, &part[0], uint64(4*width))
	}
	if whole < kc {
		packPortable(dst[whole*width:], o, i, lines, k+whole, kc-whole, width)
	}
}

func widenNEON(dst, panel []float32, depth int) { neonWiden(uint64(depth), &panel[0], &dst[0]) }
