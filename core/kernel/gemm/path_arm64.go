package gemm

import "github.com/herd-lm/herd/core/kernel/cpu"

// neon has tiles of up to 12x8: 24 sums, which leaves eight registers.
var neon = assembly(path{level: cpu.NEON, perWord: 1, pack: packNEON, widen: widenNEON}, 4, packedNEON[:], directNEON[:], nil, []int8Tile{nil})

// paths are the float32 paths by level.
var paths = []*path{&portable, &neon}

// bf16Path returns none: only extensions of NEON multiply bfloat16s.
func bf16Path(cpu.Level) *path { return nil }

// The tiles, by number of rows.
var (
	packedNEON = [...]packedTiles{
		{}, {neonPacked1x1, neonPacked1x2}, {neonPacked2x1, neonPacked2x2},
		{neonPacked3x1, neonPacked3x2}, {neonPacked4x1, neonPacked4x2},
		{neonPacked5x1, neonPacked5x2}, {neonPacked6x1, neonPacked6x2}, {neonPacked7x1, neonPacked7x2},
		{neonPacked8x1, neonPacked8x2}, {neonPacked9x1, neonPacked9x2}, {neonPacked10x1, neonPacked10x2},
		{neonPacked11x1, neonPacked11x2}, {neonPacked12x1, neonPacked12x2},
	}
	directNEON = [...]directTiles{
		{}, {neonDirect1x1, neonDirect1x2}, {neonDirect2x1, neonDirect2x2},
		{neonDirect3x1, neonDirect3x2}, {neonDirect4x1, neonDirect4x2},
		{neonDirect5x1, neonDirect5x2}, {neonDirect6x1, neonDirect6x2}, {neonDirect7x1, neonDirect7x2},
		{neonDirect8x1, neonDirect8x2}, {neonDirect9x1, neonDirect9x2}, {neonDirect10x1, neonDirect10x2},
		{neonDirect11x1, neonDirect11x2}, {neonDirect12x1, neonDirect12x2},
	}
)
