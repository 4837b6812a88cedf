// Command gemm writes the assembly of package gemm: microkernels and packing
// routines for AVX-512, for AVX2 with FMA, and for AVX-512 with BF16.
package main

import (
	. "github.com/mmcloughlin/avo/build"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

func main() {
	ConstraintExpr("amd64")
	doubled := duplicate()
	for _, k := range []arithmetic{{isa.AVX512, "avx512", false}, {isa.AVX2, "avx2", false}, {isa.AVX512, "bf16", true}} {
		for rows := 1; rows <= k.mostRows(); rows++ {
			for vectors := 1; vectors <= 2; vectors++ {
				k.tile(rows, vectors, packed)
				k.tile(rows, vectors, direct)
				if !k.bf16 {
					k.tile(rows, vectors, across)
				}
			}
		}
		k.widen(doubled)
		for rows := 1; rows <= k.int8Rows(); rows++ {
			k.int8Tile(rows, doubled)
		}
	}
	transpose16()
	transpose8()
	transposeBF16()
	roundBF16()
	pairs := interleave()
	for vectors := 1; vectors <= 2; vectors++ {
		copyRows(isa.AVX512, vectors)
		copyRows(isa.AVX2, vectors)
		copyRowsBF16(vectors, pairs)
	}
	copyPanels32(isa.AVX512)
	copyPanels32(isa.AVX2)
	copyPanelsBF16(pairs)
	fetchRows()
	Generate()
}
