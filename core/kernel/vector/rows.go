package vector

// Scores describes rows of a block of attention's scores: row r starts at
// r·Stride, which is a multiple of 16, and has N elements, of which it sees the first
// Visible[r], at least one. The true scores are Scale times what is stored.
type Scores struct {
	Stride, N int
	Visible   []int32
	Scale     float32
}

// rows returns what the rows take of an array, whole vectors at the end.
func (b Scores) rows(x []float32) []float32 { return x[:len(b.Visible)*b.Stride] }

// Softmax takes the rows into online softmaxes (FlashAttention, arXiv 2205.14135,
// algorithm 1): what row r sees becomes exp(score − top[r]), the rest 0, where top
// is the largest score so far, of this block or those before; sum goes on, and what
// was summed with other weights is to be multiplied by shrink. At first top is -Inf
// and sum 0.
func (b Scores) Softmax(s, top, sum, shrink []float32) {
	n := len(b.Visible)
	selected.softmaxRows(b.rows(s), b.Stride, b.N, b.Visible, b.Scale, top[:n], sum[:n], shrink[:n])
}

// Gradient turns scores into probabilities p = exp(score − lse[r]), and ds, the
// gradient of the probabilities, into that of what is stored: Scale·p·(ds − delta[r]).
// What a row does not see becomes 0 in both.
func (b Scores) Gradient(s, ds, lse, delta []float32) {
	n := len(b.Visible)
	selected.scoreGradRows(b.rows(s), b.rows(ds), b.Stride, b.N, b.Visible, b.Scale, lse[:n], delta[:n])
}

// ScaleRows multiplies each of the len(by) rows of y, which lie side by side, by its
// factor.
func ScaleRows(y, by []float32) { selected.scaleRows(y, by) }

// CopyRows copies n rows of width elements from x, where they are strideX apart, to y,
// where they are strideY apart: for many that are short.
func CopyRows(y, x []float32, n, width, strideY, strideX int) {
	if n > 0 {
		selected.copyRows(y[:(n-1)*strideY+width], x[:(n-1)*strideX+width], n, width, strideY, strideX)
	}
}

// completed returns the levels, each with what it has no routine of its own for set
// to go row by row with those that it has.
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

// rotateByRun is Rotate by a routine that turns one run, of which a and b are the
// halves.
func rotateByRun(turn func(a, b, cos, sin []float32, sign float32)) func(x, cos, sin []float32, sign float32) {
	return func(x, cos, sin []float32, sign float32) {
		half := len(cos)
		for ; len(x) >= 2*half && half > 0; x = x[2*half:] {
			turn(x[:half], x[half:2*half], cos, sin, sign)
		}
	}
}
