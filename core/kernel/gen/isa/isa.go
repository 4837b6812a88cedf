// Package isa describes what differs between AVX-512 and AVX2, so that one generator serves both.
// Begin with Set.
package isa

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Set is one vector instruction set.
type Set struct {
	Name      string // prefix of the routines
	Bytes     int    // of a vector
	Lanes     int    // float32s in a vector
	Registers int
	regs      []reg.VecPhysical
}

// Reg returns vector register i.
func (s Set) Reg(i int) reg.VecPhysical { return s.regs[i] }

// Zero clears a register.
func (s Set) Zero(r reg.VecPhysical) {
	if s.Bytes == 64 {
		VPXORQ(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// The two sets.
var (
	AVX512 = Set{"avx512", 64, 16, 32, []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}}
	AVX2 = Set{"avx2", 32, 8, 16, []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}}
)

// Loop writes a loop of count steps, several at a time as long as enough are left: step(u) writes
// the u-th of a group, advance(n) advances the pointers by n steps. The loop changes count.
func Loop(name string, count reg.Register, group int, step, advance func(n int)) {
	single, done := name+"single", name+"done"
	CMPQ(count, U32(group))
	JL(LabelRef(single))
	Label(name)
	for u := range group {
		step(u)
	}
	advance(group)
	SUBQ(U32(group), count)
	CMPQ(count, U32(group))
	JGE(LabelRef(name))
	Label(single)
	TESTQ(count, count)
	JE(LabelRef(done))
	Label(single + "loop")
	step(0)
	advance(1)
	DECQ(count)
	JNE(LabelRef(single + "loop"))
	Label(done)
}
