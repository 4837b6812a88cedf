package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/kernel/cpu"
)

// shapes have every kind of edge: single lines, odd counts, one more and one
// less than a tile, more than one block in each direction.
var shapes = []struct{ m, n, depth int }{
	{1, 1, 1}, {1, 7, 5}, {7, 1, 17}, {2, 4, 16}, {3, 5, 31}, {13, 33, 48}, {14, 32, 256}, {15, 31, 257},
	{16, 48, 300}, {29, 65, 513}, {350, 40, 20}, {5, 2100, 18}, {1, 96, 1030}, {4, 4, 0}, {0, 3, 2}, {3, 0, 2},
	{20, 40, 1700}, {34, 5, 1021}, {1021, 5, 34}, // rows of a are a page apart: more than a few are packed
}

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// operand returns a random operand of lines x depth with gaps between its rows,
// as long as it must be and no longer.
func operand(rng *rand.Rand, lines, depth int, columns bool) Operand {
	if columns {
		stride := lines + 3
		return Columns(random(rng, max(0, (depth-1)*stride+lines)), stride)
	}
	stride := depth + 3
	return Rows(random(rng, max(0, (lines-1)*stride+depth)), stride)
}

// adding is how a product treats what is to be added.
type adding int

const (
	nothing    adding = iota
	accumulate        // to c
	other             // an array of its own
)

// newProduct returns a random product, with gaps in c.
func newProduct(rng *rand.Rand, f Format, m, n, depth int, ac, bc bool, add adding) Product {
	p := Product{
		Format: f, A: operand(rng, m, depth, ac), B: operand(rng, n, depth, bc), M: m, N: n, Depth: depth,
		Stride: n + 2,
	}
	p.C = random(rng, m*p.Stride)
	switch add {
	case accumulate:
		p.Add = p.C
	case other:
		p.Add = random(rng, len(p.C))
	}
	return p
}

func forms(f func(ac, bc bool, add adding)) {
	for bits := range 4 {
		for _, add := range []adding{nothing, accumulate, other} {
			f(bits&1 != 0, bits&2 != 0, add)
		}
	}
}

func (p *Product) String() string {
	return fmt.Sprintf("%dx%dx%d a.Columns=%v b.Columns=%v add=%v", p.M, p.N, p.Depth, p.A.Columns, p.B.Columns, p.Add != nil)
}

// factors are the elements of o's lines in the product's format, [lines][depth].
func (p *Product) factors(o Operand, lines int) [][]float64 {
	all := make([][]float64, lines)
	for i := range all {
		all[i] = make([]float64, p.Depth)
		for k := range all[i] {
			all[i][k] = float64(p.rounded(o.Data[o.at(i, k)]))
		}
	}
	return all
}

// rounded is a factor as it is multiplied.
func (p *Product) rounded(v float32) float32 {
	if p.Format == BF16 || p.Format == Int8 && selected[Int8].perWord == 2 {
		return math.Float32frombits(uint32(roundBF16(v)) << 16)
	}
	return v
}

// stored is b as it is kept: for Int8 each line rounded in its blocks.
func (p *Product) stored() Operand {
	if p.Format != Int8 {
		return p.B
	}
	o := Rows(make([]float32, p.N*p.Depth), p.Depth)
	for j := range p.N {
		line := o.Data[j*p.Depth:][:p.Depth]
		p.B.copyLine(line, j, 0)
		for block := range slices.Chunk(line, Int8Block) {
			steps := make([]int8, len(block))
			scale := RoundInt8(steps, block)
			for k, s := range steps {
				block[k] = scale * float32(s)
			}
		}
	}
	return o
}

// check compares c with the float64 product; before and add are copies of C and
// Add. The tolerance is that of a chain of float32 operations on terms of size 1.
func (p *Product) check(before, add []float32) error {
	a, b := p.factors(p.A, p.M), p.factors(p.stored(), p.N)
	for i := range p.M {
		for j := range p.Stride {
			at := i*p.Stride + j
			if j >= p.N {
				if at < len(before) && p.C[at] != before[at] {
					return fmt.Errorf("%v: wrote c[%d,%d], beyond the columns", p, i, j)
				}
				continue
			}
			want, size := 0.0, 1.0
			for k, v := range b[j] {
				term := a[i][k] * v
				want += term
				size += math.Abs(term)
			}
			if add != nil {
				want += float64(add[at])
			}
			if got := float64(p.C[at]); !(math.Abs(got-want) <= 1e-6*size) {
				return fmt.Errorf("%v: c[%d,%d] = %v, want %v", p, i, j, got, want)
			}
		}
	}
	return nil
}

// run multiplies and checks.
func (p *Product) run() error {
	before, add := append([]float32(nil), p.C...), append([]float32(nil), p.Add...)
	p.Multiply()
	return p.check(before, add)
}

func TestMultiply(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range shapes {
			forms(func(ac, bc bool, add adding) {
				p := newProduct(rng, f, s.m, s.n, s.depth, ac, bc, add)
				if err := p.run(); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// TestRemainders has every remainder up to a tile's and one more in two
// dimensions at a time, the third at random.
func TestRemainders(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		rng := rand.New(rand.NewPCG(11, 12))
		random := func() int { return 1 + rng.IntN(40) }
		for x := 1; x <= 33; x++ {
			for y := 1; y <= 33; y++ {
				s := [][3]int{{x, y, random()}, {x, random(), y}, {random(), x, y}}[(x+y)%3]
				p := newProduct(rng, f, s[0], s[1], s[2], rng.IntN(2) == 0, rng.IntN(2) == 0, adding(rng.IntN(3)))
				if err := p.run(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func FuzzMultiply(f *testing.F) {
	f.Add(uint64(1), uint16(14), uint16(32), uint16(256), uint8(0))
	f.Add(uint64(2), uint16(0), uint16(5), uint16(3), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, depth uint16, form uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		m, n, depth = m%400, n%400, depth%1100
		if int(m)*int(n)*int(depth) > 1<<22 {
			t.Skip("too large to check")
		}
		for format := range Format(formats) {
			p := newProduct(rng, format, int(m), int(n), int(depth), form&1 != 0, form&2 != 0, adding(form>>2%3))
			if err := p.run(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestCheckSeesAnError plants an error of one unit in the fifth digit.
func TestCheckSeesAnError(t *testing.T) {
	p := newProduct(rand.New(rand.NewPCG(3, 4)), FP32, 5, 6, 40, false, false, nothing)
	p.Multiply()
	p.C[17] += 1e-4
	if p.check(p.C, nil) == nil {
		t.Error("a planted error passed")
	}
}

// TestFormatMatters: the check distinguishes rounded factors from others.
func TestFormatMatters(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		p := newProduct(rand.New(rand.NewPCG(3, 4)), f, 5, 6, 40, false, false, nothing)
		p.Multiply()
		for p.Format = range Format(formats) {
			if p.Format != f && p.check(p.C, nil) == nil {
				t.Errorf("the product of format %d passed for one of %d", f, p.Format)
			}
		}
	})
}

// TestPartsAreIndependent: rows and columns computed in parts equal the whole, bit
// for bit, with b packed at once or bit by bit.
func TestPartsAreIndependent(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, s := range shapes {
			forms(func(ac, bc bool, add adding) {
				whole := newProduct(rng, f, s.m, s.n, s.depth, ac, bc, add)
				parts := whole
				parts.C = append([]float32(nil), whole.C...)
				if add == accumulate {
					parts.Add = parts.C
				}
				whole.Multiply()
				inParts(rng, &parts)
				for i := range whole.C {
					if math.Float32bits(whole.C[i]) != math.Float32bits(parts.C[i]) {
						t.Fatalf("%v: element %d is %v whole and %v in parts", &whole, i, whole.C[i], parts.C[i])
					}
				}
			})
		}
	})
}

// inParts computes p in parts at random, of a b packed in steps of random size.
func inParts(rng *rand.Rand, p *Product) {
	var q Panels
	for more := q.Start(p, 1<<rng.IntN(20)); more; more = q.Next(p) {
		for j := range q.Count() {
			q.Pack(p.B, j, j+1)
		}
		for i := 0; i < p.M; {
			rows := min(1+rng.IntN(20), p.M-i)
			for j := 0; j < q.Count(); {
				panels := min(1+rng.IntN(3), q.Count()-j)
				q.Part(p, i, i+rows, j, j+panels)
				j += panels
			}
			i += rows
		}
	}
}

// TestReserve: one b packed once serves several products, and takes no more room
// than its elements and what fills the last panel.
// TestDone: a product reports every row once, when the row is complete. Some have
// more than one chunk of panels, of lines and of depths, so that rows are computed
// in part before they are complete.
func TestDone(t *testing.T) {
	onEachPath(t, func(t *testing.T, format Format) {
		for i, s := range append(shapes, struct{ m, n, depth int }{370, 1100, 1300}) {
			rng := rand.New(rand.NewPCG(uint64(i), 5))
			p := newProduct(rng, format, s.m, s.n, s.depth, i%2 == 0, i%3 == 0, accumulate)
			whole, first := p, 2*p.M/3
			told, seen := make([]int, p.M), make([]float32, len(p.C))
			p.Done = func(lo, hi int) {
				for r := lo; r < hi; r++ {
					told[r]++
					copy(seen[r*p.Stride:][:p.N], whole.C[r*p.Stride:])
				}
			}
			for _, part := range []Product{p.Rows(0, first), p.Rows(first, p.M)} {
				part.Multiply()
			}
			for r, n := range told {
				if n != 1 || !slices.Equal(seen[r*p.Stride:][:p.N], whole.C[r*p.Stride:][:p.N]) {
					t.Fatalf("%v: told %d times of row %d, the last time it was complete: %v", &p, n, r,
						slices.Equal(seen[r*p.Stride:][:p.N], whole.C[r*p.Stride:][:p.N]))
				}
			}
		}
	})
}

func TestReserve(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		rng := rand.New(rand.NewPCG(13, 14))
		var q Panels
		first := newProduct(rng, f, 3, 70, 530, false, false, nothing)
		q.Reserve(f, 70, 530)
		q.Pack(first.B, 0, q.Count())
		most := int64(4 * q.padded() * (530 + 1) / q.perWord)
		if f == Int8 {
			most = int64(q.padded() * (530 + q.perWord - 1 + 4*9)) // nine blocks of 64
		}
		if got := int64(4 * len(q.data)); got > most || got != Bytes(f, 70, 530) {
			t.Errorf("%d bytes packed, expected at most %d, foretold %d", got, most, Bytes(f, 70, 530))
		}
		for _, m := range []int{3, 1, 14, 20} {
			p := newProduct(rng, f, m, 70, 530, false, false, other)
			p.B = first.B
			add := append([]float32(nil), p.Add...)
			before := append([]float32(nil), p.C...)
			q.Part(&p, 0, m, 0, q.Count())
			if err := p.check(before, add); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestRoundBF16(t *testing.T) {
	inf := float32(math.Inf(1))
	for in, want := range map[float32]uint16{
		0: 0, 1: 0x3f80, -1: 0xbf80, inf: 0x7f80, -inf: 0xff80,
		1 + 1.0/256:               0x3f80, // half way, to even
		1 + 3.0/256:               0x3f82, // half way, to even
		1 + 1.0/256 + 1.0/(1<<20): 0x3f81,
		1e-40:                     0, // denormal
		math.MaxFloat32:           0x7f80,
	} {
		if got := roundBF16(in); got != want {
			t.Errorf("%v is rounded to %#x, want %#x", in, got, want)
		}
	}
	if got := roundBF16(float32(math.NaN())); got&0x7f80 != 0x7f80 || got&0x7f == 0 {
		t.Errorf("not a number is rounded to %#x", got)
	}
}

func TestNoAllocation(t *testing.T) {
	p := newProduct(rand.New(rand.NewPCG(7, 8)), FP32, 20, 37, 40, false, true, accumulate)
	if n := testing.AllocsPerRun(20, p.Multiply); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
}

// onEachPath runs f for each path that this processor has, and for bfloat16s
// also for the one that rounds.
func onEachPath(t *testing.T, f func(t *testing.T, format Format)) {
	before := selected
	defer func() { selected = before }()
	for _, p := range paths {
		if p.level > cpu.Best() {
			continue
		}
		selected = choose(p.level)
		t.Run(p.level.String(), func(t *testing.T) { f(t, FP32) })
		selected[Int8] = p.quantised()
		t.Run(p.level.String()+" int8", func(t *testing.T) { f(t, Int8) })
		selected[BF16] = p.rounding()
		t.Run(p.level.String()+" rounding", func(t *testing.T) { f(t, BF16) })
		if native := bf16Path(p.level); native != nil {
			selected[BF16] = native
			t.Run(p.level.String()+" bf16", func(t *testing.T) { f(t, BF16) })
			selected[Int8] = native.quantised()
			t.Run(p.level.String()+" int8 as bf16", func(t *testing.T) { f(t, Int8) })
		}
	}
}

// TestEvenly: lines are taken as few times as can be, and no time takes few of them.
func TestEvenly(t *testing.T) {
	for _, c := range []struct{ n, most, want int }{
		{2048, 682, 512}, {2048, 1024, 1024}, {2049, 1024, 683}, {5, 8, 5}, {1, 1, 1}, {7, 1, 1}, {1366, 682, 456},
	} {
		if got := Evenly(c.n, c.most); got != c.want {
			t.Errorf("%d lines, %d at most: %d, want %d", c.n, c.most, got, c.want)
		}
	}
}
