package gemm

// Operand is a set of lines of equal depth.
type Operand struct {
	Data    []float32
	Stride  int  // elements from one row of Data to the next
	Columns bool // line i is column i of Data, not row i
}

// Rows returns the operand whose line i is data[i*stride : i*stride+depth].
func Rows(data []float32, stride int) Operand { return Operand{data, stride, false} }

// Columns returns the operand whose line i is data[i], data[i+stride], ...
func Columns(data []float32, stride int) Operand { return Operand{data, stride, true} }

// at returns the index of depth k of line i.
func (o Operand) at(i, k int) int {
	if o.Columns {
		return k*o.Stride + i
	}
	return i*o.Stride + k
}

// Format is the type that the factors are rounded to. Sums are always float32.
type Format uint8

const (
	FP32 Format = iota
	BF16        // bfloat16, to nearest even; denormals are 0
	Int8        // b to int8 in blocks of depth (see RoundInt8); then both to bfloat16 if the processor multiplies it

	formats = iota
)

// Product is c[i,j] = Σ_k a(i,k)·b(j,k) + add[i,j] for i < M, j < N, k < Depth.
type Product struct {
	Format      Format
	A, B        Operand
	M, N, Depth int

	C      []float32 // row i starts at C[i*Stride]; must not overlap an operand
	Stride int
	Add    []float32 // rows are laid out as those of C; C itself accumulates; nil adds nothing

	// Done, unless it is nil, is called by Multiply and PartShared for rows [lo, hi) of c
	// while they are in the caches: as soon as they are complete, once for each row.
	Done  func(lo, hi int)
	first int // the index that Done knows row 0 by
}

// Rows returns the part of the product that computes rows [lo, hi) of c. Done still receives
// their indices in p.
func (p Product) Rows(lo, hi int) Product {
	p.M, p.first = hi-lo, p.first+lo
	if p.Depth > 0 {
		p.A.Data = p.A.Data[p.A.at(lo, 0):]
	}
	p.C = p.C[lo*p.Stride:]
	if p.Add != nil {
		p.Add = p.Add[lo*p.Stride:]
	}
	return p
}

// Block sizes. A panel of b (blockWords x tile width) and a block of a stay in the second-level
// cache. Depth is cut as rarely as that allows, because every cut reads and writes c once more:
// blocks of 768 words are 1 to 4% faster than blocks of 288, whose panels would fit the
// first-level cache.
const (
	blockWords  = 768
	blockLines  = 336       // most lines of a block of a
	blockA      = 336 * 288 // most words of a block of a
	panelWords  = 1 << 19   // packed words of b at a time, on one thread
	nearRows    = 32        // lines of a that the first-level cache holds, however far apart they are
	pageWords   = 1024      // words in the smallest page of memory
	tilesAtOnce = 6         // in one call
	tilesAsking = 2         // in one call, if it first prefetches a little of what comes next
)

// Multiply computes the product on one thread.
func (p Product) Multiply() {
	s := Borrow()
	defer s.GiveBack()
	s.product = p // the memory that p points to must not move to the heap
	q := &s.panels
	more := q.Start(&s.product, panelWords)
	if !more {
		p.complete(0, p.M)
	}
	for more {
		q.Pack(p.B, 0, q.Count())
		t := part{Product: &s.product, path: q.path, Scratch: s, i1: p.M, j1: q.Count(), last: q.last(&s.product)}
		t.multiply(q)
		more = q.Next(&s.product)
	}
	s.product = Product{}
}

// complete calls Done for rows [lo, hi) of c.
func (p *Product) complete(lo, hi int) {
	if p.Done != nil && lo < hi {
		p.Done(p.first+lo, p.first+hi)
	}
}

// initial computes a product without depth: c is what is added, or 0.
func (p *Product) initial(i0, i1 int) {
	for i := i0; i < i1; i++ {
		row := p.C[i*p.Stride:][:p.N]
		if p.Add == nil {
			clear(row)
		} else {
			copy(row, p.Add[i*p.Stride:])
		}
	}
}

// Evenly returns how many of n to process at a time, at most most, so that there are as few
// groups as possible and all are about equal. A tile of 14 rows and one of 2 take longer than
// two of 8.
func Evenly(n, most int) int {
	times := (n + most - 1) / most
	return (n + times - 1) / times
}
