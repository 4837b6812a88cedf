package gemm

import (
	"math"
	"unsafe"
)

// Int8Block is how many successive depths of a line share a scale.
const Int8Block = 64

// RoundInt8 rounds the elements of a block to multiples of a step, 1/127 of the largest absolute
// value, to nearest even. It returns the step: block[i] is about scale·steps[i], off by half a
// step at most. A block without normal numbers becomes 0. If the block has a NaN or an infinity,
// the scale is that.
func RoundInt8(steps []int8, block []float32) (scale float32) {
	const sign = 1 << 31
	var most uint32 // the bits of absolute values are in order of size, with NaN last
	for _, v := range block {
		most = max(most, math.Float32bits(v)&^sign)
	}
	const leastNormal = 0x1p-126
	if scale = math.Float32frombits(most) / 127; scale < leastNormal {
		clear(steps)
		return 0
	}
	const whole = 0x1.8p23 // adding it to a small number leaves the nearest integer in the lowest bits
	for i, v := range block {
		steps[i] = int8(math.Float32bits(v/scale + whole))
	}
	return scale
}

// A panel of Int8 has, for every Int8Block depths, the scales of its nr lines, then their steps,
// four to a float32: [words][nr][perWord]. It is widened to words once for a block of rows of a,
// before their tiles read it. For few rows there are tiles that read it directly.

// quantised returns a path that stores panels of b as steps and multiplies as p does.
func (p *path) quantised() *path {
	q := *p
	q.steps, q.packSide = true, nil
	q.fetching = 0 // the tiles read freshly widened words, which are in the caches
	return &q
}

// panelSize returns how many float32s a panel of the given depth takes.
func (p *path) panelSize(depth int) int {
	if p.steps {
		return p.int8Size(depth)
	}
	return p.wordsOf(depth) * p.nr
}

// int8Size is panelSize for a panel of int8.
func (p *path) int8Size(depth int) int {
	scales, steps := (depth+Int8Block-1)/Int8Block*p.nr, p.wordsOf(depth)*p.perWord*p.nr
	return scales + steps/4
}

// quantise writes lines [i, i+lines) of o at depths [k, k+kc) to a panel.
func (p *path) quantise(panel []float32, o Operand, i, lines, k, kc int) {
	clear(panel) // missing lines and depths are 0
	var block [Int8Block]float32
	var steps [Int8Block]int8
	for from := 0; from < kc; from += Int8Block {
		n := min(Int8Block, kc-from)
		size := p.int8Size(n)
		scales, to := panel[:p.nr], bytesOf(panel[p.nr:size])
		for r := range lines {
			o.copyLine(block[:n], i+r, k+from)
			scales[r] = RoundInt8(steps[:n], block[:n])
			for d, s := range steps[:n] {
				to[p.stepAt(r, d)] = s
			}
		}
		panel = panel[size:]
	}
}

// panel returns panel j of q as tiles read it: words, or steps if inPlace is set.
func (t *part) panel(q *Panels, j int) []float32 {
	panel := q.panel(j, t.k)
	if !t.steps || t.inPlace {
		return panel
	}
	words := t.wide[:t.words()*t.nr]
	t.widen(words, panel, t.kc)
	return words
}

// stepAt returns the index of depth d of line r among the steps of a block.
func (p *path) stepAt(r, d int) int {
	pair := p.perWord >> 1 // 1 if a word holds two depths
	return (d>>pair*p.nr+r)<<pair + d&pair
}

// bytesOf returns the memory of x as steps.
func bytesOf(x []float32) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// copyLine sets dst to line i from depth k on.
func (o Operand) copyLine(dst []float32, i, k int) {
	if !o.Columns {
		copy(dst, o.Data[o.at(i, k):])
		return
	}
	for d := range dst {
		dst[d] = o.Data[o.at(i, k+d)]
	}
}

// widenPortable is path.widen in Go, for panels of four lines.
func widenPortable(dst, panel []float32, depth int) {
	for ; depth > 0; depth -= Int8Block {
		n := min(Int8Block, depth)
		s0, s1, s2, s3 := panel[0], panel[1], panel[2], panel[3]
		steps := bytesOf(panel[4 : 4+n])
		for len(steps) >= 4 && len(dst) >= 4 {
			dst[0] = s0 * float32(steps[0])
			dst[1] = s1 * float32(steps[1])
			dst[2] = s2 * float32(steps[2])
			dst[3] = s3 * float32(steps[3])
			steps, dst = steps[4:], dst[4:]
		}
		panel = panel[4+n:]
	}
}

// Line sets dst to line i of b as q stores it. All depths must be packed (Reserve) in the format
// Int8.
func (q *Panels) Line(dst []float32, i int) {
	for k := 0; k < q.depth; k += q.step {
		panel := q.panel(i/q.nr, k)
		for end := min(q.step, q.depth-k); end > 0; end -= Int8Block {
			n := min(Int8Block, end)
			size := q.panelSize(n)
			scale, steps := panel[i%q.nr], bytesOf(panel[q.nr:size])
			for d := range dst[:n] {
				dst[d] = scale * float32(steps[q.stepAt(i%q.nr, d)])
			}
			dst, panel = dst[n:], panel[size:]
		}
	}
}
