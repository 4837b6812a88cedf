package isa

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Vec returns a new virtual vector register.
func (s Set) Vec() reg.VecVirtual {
	if s.Lanes == 16 {
		return ZMM()
	}
	return YMM()
}

// Table is a read-only table with a vector for each constant, as wide as the widest vector, so
// that they can be operands in memory.
type Table struct {
	base   Mem
	offset map[string]int
}

// NewTable writes the constants, preceded by 16 set and 16 unset lanes from which the masks of
// partial vectors are cut.
func NewTable(names []string, values map[string]uint32) Table {
	t := Table{base: GLOBL("table", 8|16), offset: map[string]int{}} // RODATA|NOPTR
	for i := range 32 {
		mask := uint32(0)
		if i < 16 {
			mask = math.MaxUint32
		}
		DATA(4*i, U32(mask))
	}
	for i, name := range names {
		t.offset[name] = 128 + 64*i
		for lane := range 16 {
			DATA(128+64*i+4*lane, U32(values[name]))
		}
	}
	return t
}

// Of returns the vector of a constant.
func (t Table) Of(name string) Mem {
	at, ok := t.offset[name]
	if !ok {
		panic("no constant " + name)
	}
	return t.base.Offset(at)
}

// Lanes is the state of a loop over float32 arrays of one length. Offset is the position in bytes.
// Ragged is set in the last iteration, which has fewer lanes.
type Lanes struct {
	Set
	Table  Table
	Offset reg.GPVirtual
	Ragged bool
	Ahead  int            // bytes to prefetch ahead; 0: none
	mask   reg.VecVirtual // for AVX2; AVX-512 has it in K1
	name   string
}

// Each writes a loop over n elements: body once for whole vectors and once for the partial vector
// at the end, whose masked loads and stores touch nothing beyond n.
func (s Set) Each(t Table, name string, n reg.Register, body func(l *Lanes)) {
	l := &Lanes{Set: s, Table: t, Offset: GP64(), name: name}
	end, next := GP64(), GP64()
	MOVQ(n, end)
	SHLQ(U8(2), end)
	XORQ(l.Offset, l.Offset)
	Label(name)
	LEAQ(Mem{Base: l.Offset, Disp: s.Bytes}, next)
	CMPQ(next, end)
	JG(LabelRef(name + "ragged"))
	body(l)
	MOVQ(next, l.Offset)
	JMP(LabelRef(name))
	Label(name + "ragged")
	SUBQ(l.Offset, end)
	JE(LabelRef(name + "done"))
	l.cutMask(end)
	l.Ragged = true
	body(l)
	Label(name + "done")
}

// cutMask creates a mask of the lanes in left, which counts bytes.
func (l *Lanes) cutMask(left reg.GPVirtual) {
	at := GP64()
	LEAQ(l.Table.base, at)
	NEGQ(left)
	l.mask = l.Vec()
	VMOVUPS(Mem{Base: at, Index: left, Scale: 1, Disp: 64}, l.mask)
	if l.Lanes() == 16 {
		VPMOVD2M(l.mask, reg.K1)
	}
}

// Lanes returns the number of float32s in a vector.
func (l *Lanes) Lanes() int { return l.Set.Lanes }

// Load loads the vector at base. Lanes beyond the end are 0.
func (l *Lanes) Load(base reg.Register) reg.VecVirtual {
	v, at := l.Vec(), Mem{Base: base, Index: l.Offset, Scale: 1}
	switch {
	case !l.Ragged:
		l.ask(base)
		VMOVUPS(at, v)
	case l.Lanes() == 16:
		VMOVUPS_Z(at, reg.K1, v)
	default:
		VMASKMOVPS(at, l.mask, v)
	}
	return v
}

func (l *Lanes) ask(base reg.Register) {
	if l.Ahead > 0 {
		PREFETCHT0(Mem{Base: base, Index: l.Offset, Scale: 1, Disp: l.Ahead})
	}
}

// Store stores v at base, up to the end.
func (l *Lanes) Store(v reg.VecVirtual, base reg.Register) {
	at := Mem{Base: base, Index: l.Offset, Scale: 1}
	switch {
	case !l.Ragged:
		l.ask(base)
		VMOVUPS(v, at)
	case l.Lanes() == 16:
		VMOVUPS(v, reg.K1, at)
	default:
		VMASKMOVPS(v, l.mask, at)
	}
}

// Inside replaces the lanes of v beyond the end by those of other, or by 0 if other is nil.
func (l *Lanes) Inside(v, other reg.VecVirtual) {
	switch {
	case !l.Ragged:
	case l.Lanes() == 16 && other == nil:
		VMOVAPS_Z(v, reg.K1, v)
	case l.Lanes() == 16:
		VBLENDMPS(v, other, reg.K1, v)
	case other == nil:
		VANDPS(v, l.mask, v)
	default:
		VBLENDVPS(l.mask, v, other, v)
	}
}

// Broadcast loads parameter name into every lane.
func (s Set) Broadcast(name string) reg.VecVirtual {
	v := s.Vec()
	VBROADCASTSS(address(Param(name)), v)
	return v
}

// ReturnLowest stores the lowest lane of x as the result. avo's own Store would use a pre-AVX
// instruction, which is slow on some processors.
func ReturnLowest(x reg.Register, double bool) {
	if double {
		VMOVSD(x, address(ReturnIndex(0)))
	} else {
		VMOVSS(x, address(ReturnIndex(0)))
	}
}

func address(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err) // the generator gave a wrong parameter name
	}
	return b.Addr
}

// Constant loads a constant of the table.
func (s Set) Constant(t Table, name string) reg.VecVirtual {
	v := s.Vec()
	VMOVUPS(t.Of(name), v)
	return v
}

// Zeroed returns a vector of zeros.
func (s Set) Zeroed() reg.VecVirtual {
	v := s.Vec()
	if s.Lanes == 16 {
		VPXORQ(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
	return v
}

// Fold combines the lanes of v in a fixed order, halves first, and returns a register with the
// result in the lowest lane.
func (s Set) Fold(v reg.VecVirtual, combine func(ops ...Op)) reg.Register {
	if s.Lanes == 16 {
		upper := YMM()
		VEXTRACTF64X4(Imm(1), v, upper)
		combine(upper, v.AsY(), v.AsY())
	}
	upper := XMM()
	VEXTRACTF128(Imm(1), v.AsY(), upper)
	x := v.AsX()
	combine(upper, x, x)
	VPERMILPS(Imm(0x4e), x, upper)
	combine(upper, x, x)
	VPERMILPS(Imm(0xb1), x, upper)
	combine(upper, x, x)
	return x
}
