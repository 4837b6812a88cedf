package main

import . "github.com/herd-lm/herd/core/kernel/gen/neon"

// transpose writes the routine that packs rows: it transposes blocks of 4 lines by 4 columns.
func transpose(f *File) {
	const (
		blocks, lines, dst, width GP = 0, 1, 2, 3
		line                      GP = 4 // the first of four
	)
	f.Routine("neonTranspose", "(blocks uint64, lines *[4]*float32, dst *float32, width uint64)",
		"stores column k of the 4 lines at dst + k·width bytes, for k < 4·blocks.", func() {
			f.Op("MOVD", f.Argument("blocks"), blocks)
			f.Op("MOVD", f.Argument("lines"), lines)
			f.Op("MOVD", f.Argument("dst"), dst)
			f.Op("MOVD", f.Argument("width"), width)
			for l := range GP(4) {
				f.Op("MOVD", At(lines, 8*int(l)), line+l)
			}
			f.Label("block")
			for l := range 4 {
				f.Op("FMOVQ.P", At(line+GP(l), 16), Vec(l).F())
			}
			for l := range Vec(2) { // lines l and l+2, interleaved
				f.Op("VZIP1", l+2, l, 4+2*l)
				f.Op("VZIP2", l+2, l, 5+2*l)
			}
			for half := range Vec(2) { // columns 2·half and 2·half + 1
				f.Op("VZIP1", 6+half, 4+half, 2*half)
				f.Op("VZIP2", 6+half, 4+half, 2*half+1)
			}
			for column := range Vec(4) {
				f.Op("FMOVQ", column.F(), At(dst, 0))
				f.Op("ADD", width, dst)
			}
			f.Op("SUB", Imm(1), blocks)
			f.Op("CBNZ", blocks, "block")
		})
}
