package neon

import "fmt"

// GP is a general register: 0 to 17, and 19 to 26.
type GP int

func (r GP) String() string { return fmt.Sprintf("R%d", int(r)) }

// Vec is a vector register, 0 to 31; four float32s.
type Vec int

func (v Vec) String() string { return fmt.Sprintf("V%d.S4", int(v)) }

// F is the assembler's name of the register for loads and stores, of a part (FMOVS and FMOVD,
// which clear the rest) or of the whole (FMOVQ).
func (v Vec) F() string { return fmt.Sprintf("F%d", int(v)) }

// D2 is the register as two float64s.
func (v Vec) D2() string { return fmt.Sprintf("V%d.D2", int(v)) }

func (v Vec) bytes() string { return fmt.Sprintf("V%d.B16", int(v)) }

// Pair is two registers that one instruction loads or stores.
func Pair(v, w Vec) string { return fmt.Sprintf("(%s, %s)", v.F(), w.F()) }

// At is the memory at a register plus offset bytes.
func At(base GP, offset int) string {
	if offset == 0 {
		return fmt.Sprintf("(%v)", base)
	}
	return fmt.Sprintf("%d(%v)", offset, base)
}

// Indexed is memory at the sum of two registers.
func Indexed(base, index GP) string { return fmt.Sprintf("(%v)(%v)", base, index) }

// Imm is a constant.
func Imm(n int) string { return fmt.Sprintf("$%d", n) }

// Lane is one element of a register.
type Lane struct {
	Vec
	Index int
}
