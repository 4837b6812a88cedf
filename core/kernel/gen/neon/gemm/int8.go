package main

import . "github.com/herd-lm/herd/core/kernel/gen/neon"

// int8Block is how many depths of a panel of int8 share their scales.
const int8Block = 64

// widen writes the routine that converts a panel of int8, scales and steps, into float32s.
func widen(f *File) {
	const (
		depth, panel, dst, left GP  = 0, 1, 2, 3
		low, high, steps, scale Vec = 0, 1, 2, 3 // scale is the first of two registers
	)
	f.Routine("neonWiden", "(depth uint64, panel, dst *float32)",
		"multiplies the steps of a panel of int8 [depth][8] by their scales, new ones every 64 depths; depth is at least 1.", func() {
			f.Op("MOVD", f.Argument("depth"), depth)
			f.Op("MOVD", f.Argument("panel"), panel)
			f.Op("MOVD", f.Argument("dst"), dst)
			f.Label("block")
			f.Op("FLDPQ.P", At(panel, 32), Pair(scale, scale+1))
			f.Op("CMP", Imm(int8Block), depth)
			f.Op("MOVD", Imm(int8Block), left)
			f.Op("CSEL", "LT", depth, left, left)
			f.Op("SUB", left, depth)
			f.Loop("word", left, []int{1}, func(int) {
				f.Op("FMOVD.P", At(panel, 8), steps.F())
				f.Widen8(steps, steps)
				f.Widen16Low(low, steps)
				f.Widen16High(high, steps)
				for i, v := range []Vec{low, high} {
					f.Float(v, v)
					f.Multiply(v, v, scale+Vec(i))
				}
				f.Op("FSTPQ.P", Pair(low, high), At(dst, 32))
			})
			f.Op("CBNZ", depth, "block")
		})
}
