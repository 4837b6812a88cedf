package gemm

// Panels in memory of the caller, filled line by line or depth by depth as values arrive: a
// growing cache. They hold float32s.

// PanelFloats returns how many floats n lines of depth elements take.
func PanelFloats(n, depth int) int {
	p := pathFor(FP32)
	return (n + p.nr - 1) / p.nr * p.nr * depth
}

// Keep sets q to the n lines of depth elements in data, which has PanelFloats(n, depth) floats
// of any value. Elements that neither SetLine nor SetDepth has set are unspecified.
func (q *Panels) Keep(data []float32, n, depth int) {
	q.path = pathFor(FP32)
	q.step, q.skip, q.tallest = q.depthStep(depth), 0, q.mr
	q.line, q.lines, q.from, q.depth = 0, n, 0, depth
	q.data = data[:q.padded()*depth]
}

// SetLine sets line i to x, which has an element for each depth.
func (q *Panels) SetLine(i int, x []float32) {
	for k := 0; k < q.depth; k += q.step {
		panel, at := q.panel(i/q.nr, k), i%q.nr
		for _, v := range x[k:min(q.depth, k+q.step)] {
			panel[at] = v
			at += q.nr
		}
	}
}

// SetDepth sets depth k of all lines to x, which has an element for each line.
func (q *Panels) SetDepth(k int, x []float32) {
	block := k / q.step * q.step
	for j := 0; len(x) > 0; j++ {
		n := copy(q.panel(j, block)[(k-block)*q.nr:][:q.nr], x)
		x = x[n:]
	}
}
