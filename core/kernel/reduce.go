package kernel

import "github.com/herd-lm/herd/core/kernel/vector"

// SegmentSum sets out[s] to the sum of weight[r]·x[r] over the r with index[r] = s, in order
// of r and in float64. It ignores rows with a negative index.
func SegmentSum(out, x, weight []float32, index []int32) {
	b := borrow(0)
	defer b.giveBack()
	b.doubles = resized(b.doubles, len(out))
	sums := b.doubles
	clear(sums)
	for r, s := range index {
		if s >= 0 {
			sums[s] += float64(weight[r]) * float64(x[r])
		}
	}
	for s, v := range sums {
		out[s] = float32(v)
	}
}

// squaresBlock is how many elements SumSquares adds up before it joins the sums. It must not
// depend on the number of threads.
const squaresBlock = 1 << 14

// SumSquares returns Σ x², summed in float64 in an order that depends only on len(x).
func SumSquares(x []float32) float64 {
	blocks := (len(x) + squaresBlock - 1) / squaresBlock
	b := borrow(0)
	defer b.giveBack()
	b.doubles = resized(b.doubles, blocks)
	sums := b.doubles
	Parallel(blocks, func(i int) {
		sums[i] = vector.SumSquares(x[i*squaresBlock : min(len(x), (i+1)*squaresBlock)])
	})
	total := 0.0
	for _, s := range sums {
		total += s
	}
	return total
}
