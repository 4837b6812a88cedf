// Command gemm writes the assembly of package gemm for NEON: microkernels, a transposition for
// packing, and a routine that widens int8.
package main

import "github.com/herd-lm/herd/core/kernel/gen/neon"

func main() {
	var f neon.File
	for rows := 1; rows <= mostRows; rows++ {
		for vectors := 1; vectors <= 2; vectors++ {
			k := kernel{&f, rows, vectors}
			k.tile("Packed", "a panel a[words][%d] each", "a, b, c, add *float32", k.packed)
			k.tile("Direct", "%d rows of a each, strideA bytes apart", "a *float32, strideA uint64, b, c, add *float32", k.direct)
		}
	}
	transpose(&f)
	widen(&f)
	f.Write()
}
