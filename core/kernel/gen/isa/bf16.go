package isa

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
)

// Neither avo nor the Go assembler knows AVX512_BF16. Its instructions are written as bytes, on
// registers Z(n) by number.

// VDPBF16PS adds to each float32 of sum the products of the two bfloat16s in the
// same lane of a and b.
func VDPBF16PS(b, a, sum int) { evex(2, 0x52, sum, a, b) }

// VCVTNE2PS2BF16 rounds 32 float32s to bfloat16: low to the lower half of out.
func VCVTNE2PS2BF16(low, high, out int) { evex(3, 0x72, out, high, low) }

// evex writes an instruction of 512 bits on registers, of map 0F38, W0 (Intel
// SDM volume 2, 2.7); prefix is the code of the mandatory prefix: 2 is F3, 3 is F2.
func evex(prefix, opcode, dst, first, second int) {
	inverse := func(v, bit int) int { return ^v >> bit & 1 }
	prefixes := 0x62 |
		(inverse(dst, 3)<<7|inverse(second, 4)<<6|inverse(second, 3)<<5|inverse(dst, 4)<<4|2)<<8 |
		((^first&15)<<3|1<<2|prefix)<<16 |
		(2<<5|inverse(first, 4)<<3)<<24
	raw("LONG", operand.U32(prefixes))
	raw("WORD", operand.U16(opcode|(0xc0|(dst&7)<<3|second&7)<<8))
}

func raw(directive string, bytes operand.Op) {
	build.Instruction(&ir.Instruction{Opcode: directive, Operands: []operand.Op{bytes}})
}
