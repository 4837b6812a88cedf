package neon

import "fmt"

// Operands are in Arm's order, the result first.

// Zero clears a register.
func (f *File) Zero(d Vec) { f.Op("VMOVI", Imm(0), d.bytes()) }

// Copy sets d to n.
func (f *File) Copy(d, n Vec) { f.Op("VMOV", n.bytes(), d.bytes()) }

// Spread sets all lanes of d to the lowest of n.
func (f *File) Spread(d, n Vec) { f.Op("VDUP", fmt.Sprintf("V%d.S[0]", n), d) }

// MultiplyAdd adds n·m to d.
func (f *File) MultiplyAdd(d, n, m Vec) { f.Op("VFMLA", m, n, d) }

// MultiplySubtract subtracts n·m from d.
func (f *File) MultiplySubtract(d, n, m Vec) { f.Op("VFMLS", m, n, d) }

// The Go assembler does not know the instructions below. They are written as words, encoded as
// in the Arm Architecture Reference Manual, C7.2, with Arm's syntax in the comment.

// MultiplyAddLane adds n·m to d.
func (f *File) MultiplyAddLane(d, n Vec, m Lane) {
	f.word(0x4f801000|(m.Index&1)<<21|int(m.Vec)<<16|(m.Index>>1)<<11|int(n)<<5|int(d),
		"fmla v%d.4s, v%d.4s, v%d.s[%d]", d, n, m.Vec, m.Index)
}

// Arithmetic lane by lane. Largest and Least return NaN if one operand is NaN.
func (f *File) Add(d, n, m Vec)      { f.three(0x4e20d400, "fadd", d, n, m) }
func (f *File) Subtract(d, n, m Vec) { f.three(0x4ea0d400, "fsub", d, n, m) }
func (f *File) Multiply(d, n, m Vec) { f.three(0x6e20dc00, "fmul", d, n, m) }
func (f *File) Divide(d, n, m Vec)   { f.three(0x6e20fc00, "fdiv", d, n, m) }
func (f *File) Largest(d, n, m Vec)  { f.three(0x4e20f400, "fmax", d, n, m) }
func (f *File) Least(d, n, m Vec)    { f.three(0x4ea0f400, "fmin", d, n, m) }
func (f *File) Root(d, n Vec)        { f.two(0x6ea1f800, "fsqrt v%d.4s, v%d.4s", d, n) }

// Greater sets the lanes of d to all ones where n > m, and to 0 elsewhere and for NaN.
func (f *File) Greater(d, n, m Vec) { f.three(0x6ea0e400, "fcmgt", d, n, m) }

// Without clears the bits of n that are set in mask.
func (f *File) Without(d, n, mask Vec) {
	f.word(0x4e601c00|int(mask)<<16|int(n)<<5|int(d), "bic v%d.16b, v%d.16b, v%d.16b", d, n, mask)
}

// AddPairs sets the lanes of d to the sums of adjacent lanes, those of n before those of m.
func (f *File) AddPairs(d, n, m Vec) { f.three(0x6e20d400, "faddp", d, n, m) }

// LargestLane sets the lowest lane of d to the largest lane of n.
func (f *File) LargestLane(d, n Vec) { f.two(0x6e30f800, "fmaxv s%d, v%d.4s", d, n) }

// WidenLow and WidenHigh convert two lanes of n into float64s.
func (f *File) WidenLow(d, n Vec)  { f.two(0x0e617800, "fcvtl v%d.2d, v%d.2s", d, n) }
func (f *File) WidenHigh(d, n Vec) { f.two(0x4e617800, "fcvtl2 v%d.2d, v%d.4s", d, n) }

// Widen8 converts the lower eight bytes of n into int16s, Widen16Low and Widen16High four int16s
// into int32s, and Float int32s into float32s.
func (f *File) Widen8(d, n Vec)      { f.two(0x0f08a400, "sxtl v%d.8h, v%d.8b", d, n) }
func (f *File) Widen16Low(d, n Vec)  { f.two(0x0f10a400, "sxtl v%d.4s, v%d.4h", d, n) }
func (f *File) Widen16High(d, n Vec) { f.two(0x4f10a400, "sxtl2 v%d.4s, v%d.8h", d, n) }
func (f *File) Float(d, n Vec)       { f.two(0x4e21d800, "scvtf v%d.4s, v%d.4s", d, n) }

// Add64 adds float64s, AddPair64 the two float64s of n.
func (f *File) Add64(d, n, m Vec) {
	f.word(0x4e60d400|int(m)<<16|int(n)<<5|int(d), "fadd v%d.2d, v%d.2d, v%d.2d", d, n, m)
}
func (f *File) AddPair64(d, n Vec) { f.two(0x7e70d800, "faddp d%d, v%d.2d", d, n) }

// three writes an instruction on three vectors of float32s.
func (f *File) three(code int, name string, d, n, m Vec) {
	f.word(code|int(m)<<16|int(n)<<5|int(d), name+" v%d.4s, v%d.4s, v%d.4s", d, n, m)
}

// two writes an instruction on two vectors.
func (f *File) two(code int, name string, d, n Vec) { f.word(code|int(n)<<5|int(d), name, d, n) }

// word writes an instruction by its code. The arguments complete Arm's name for it.
func (f *File) word(code int, name string, arguments ...any) {
	f.Op("WORD", fmt.Sprintf("$0x%08x // ", code)+fmt.Sprintf(name, arguments...))
}
