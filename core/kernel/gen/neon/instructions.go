package neon

import "fmt"

// Zero clears a register.
func (f *File) Zero(v Vec) { f.Op("VMOVI", Imm(0), fmt.Sprintf("V%d.B16", int(v))) }

// The Go assembler does not know the instructions below: they are written as
// words, laid out as in the Arm Architecture Reference Manual, C7.2, and in Arm's
// syntax in the comment.

// MultiplyAddLane adds n·m to sum: FMLA by element.
func (f *File) MultiplyAddLane(sum, n Vec, m Lane) {
	f.word(0x4f801000|(m.Index&1)<<21|int(m.Vec)<<16|(m.Index>>1)<<11|int(n)<<5|int(sum),
		"fmla v%d.4s, v%d.4s, v%d.s[%d]", sum, n, m.Vec, m.Index)
}

// Add sets d to n + m.
func (f *File) Add(d, n, m Vec) { f.three(0x4e20d400, "fadd", d, n, m) }

// three writes an instruction on three vectors.
func (f *File) three(code int, name string, d, n, m Vec) {
	f.word(code|int(m)<<16|int(n)<<5|int(d), name+" v%d.4s, v%d.4s, v%d.4s", d, n, m)
}

// word writes an instruction by its code; arguments fill in Arm's name of it.
func (f *File) word(code int, name string, arguments ...any) {
	f.Op("WORD", fmt.Sprintf("$0x%08x // ", code)+fmt.Sprintf(name, arguments...))
}
