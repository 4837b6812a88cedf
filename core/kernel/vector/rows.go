package vector

// Scores describes rows of a block of attention scores. Row r starts at r·Stride, which is a
// multiple of 16, and has N elements, of which it sees the first Visible[r], at least one. The
// true scores are Scale times the stored values.
type Scores struct {
	Stride, N int
	Visible   []int32
	Scale     float32
}

// rows returns the part of an array that the rows take, up to whole vectors at the end.
func (b Scores) rows(x []float32) []float32 { return x[:len(b.Visible)*b.Stride] }

// Softmax adds the rows to online softmaxes (FlashAttention, arXiv 2205.14135, algorithm 1). The
// scores that row r sees become exp(score − top[r]), the others 0. top is the largest score so
// far, of this block or earlier ones. sum continues, and the caller must multiply earlier
// weighted sums by shrink. Start with top = -Inf and sum = 0.
func (b Scores) Softmax(s, top, sum, shrink []float32) {
	n := len(b.Visible)
	selected.softmaxRows(b.rows(s), b.Stride, b.N, b.Visible, b.Scale, top[:n], sum[:n], shrink[:n])
}

// Gradient turns scores into probabilities p = exp(score − lse[r]), and ds, the gradient of the
// probabilities, into the gradient of the stored values: Scale·p·(ds − delta[r]). Elements that
// a row does not see become 0 in both.
func (b Scores) Gradient(s, ds, lse, delta []float32) {
	n := len(b.Visible)
	selected.scoreGradRows(b.rows(s), b.rows(ds), b.Stride, b.N, b.Visible, b.Scale, lse[:n], delta[:n])
}

// ScaleRows multiplies each of the len(by) rows of y, which are adjacent, by its factor.
func ScaleRows(y, by []float32) { selected.scaleRows(y, by) }

// CopyRows copies n rows of width elements from x, where they are strideX apart, to y, where they
// are strideY apart. It is for many short rows.
func CopyRows(y, x []float32, n, width, strideY, strideX int) {
	if n > 0 {
		selected.copyRows(y[:(n-1)*strideY+width], x[:(n-1)*strideX+width], n, width, strideY, strideX)
	}
}

// completed returns the levels. Routines that a level lacks are set to versions that go row by
// row with the routines that it has.
func completed(levels ...*routines) []*routines {
	for _, r := range levels {
		if r.softmaxRows == nil {
			r.softmaxRows = r.softmaxByRow
		}
		if r.scoreGradRows == nil {
			r.scoreGradRows = r.scoreGradByRow
		}
		if r.scaleRows == nil {
			r.scaleRows = r.scaleByRow
		}
		if r.copyRows == nil {
			r.copyRows = copyByRow
		}
	}
	return levels
}

func (r *routines) softmaxByRow(s []float32, stride, n int, visible []int32, scale float32, top, sum, shrink []float32) {
	for i, v := range visible {
		row := s[i*stride:][:n]
		r.scale(row[:v], scale)
		before := top[i]
		top[i] = max(before, r.largest(row[:v]))
		shrink[i] = Exp(before - top[i])
		sum[i] = sum[i]*shrink[i] + r.expSum(row[:v], top[i])
		clear(row[v:])
	}
}

func (r *routines) scoreGradByRow(s, ds []float32, stride, n int, visible []int32, scale float32, lse, delta []float32) {
	for i, v := range visible {
		p, d := s[i*stride:][:n], ds[i*stride:][:n]
		r.scale(p[:v], scale)
		r.expSum(p[:v], lse[i])
		r.scoreGrad(d[:v], p, delta[i])
		r.scale(d[:v], scale)
		clear(p[v:])
		clear(d[v:])
	}
}

func (r *routines) scaleByRow(y, by []float32) {
	for i, f := range by {
		width := len(y) / len(by)
		r.scale(y[i*width:][:width], f)
	}
}

func copyByRow(y, x []float32, n, width, strideY, strideX int) {
	for i := range n {
		copy(y[i*strideY:][:width], x[i*strideX:][:width])
	}
}

// rotateByRun is Rotate with a routine that rotates one run, whose halves are a and b.
func rotateByRun(turn func(a, b, cos, sin []float32, sign float32)) func(x, cos, sin []float32, sign float32) {
	return func(x, cos, sin []float32, sign float32) {
		half := len(cos)
		for ; len(x) >= 2*half && half > 0; x = x[2*half:] {
			turn(x[:half], x[half:2*half], cos, sin, sign)
		}
	}
}
