package gemm

import "github.com/herd-lm/herd/core/kernel/cpu"

var (
	avx512 = assembly(path{
		level: cpu.AVX512, perWord: 1, pack: packAVX512, packSide: sideAVX512, widen: widenAVX512, fetch: fetch,
	}, 16, packed512[:], direct512[:], across512[:], int8512[:])
	avx2 = assembly(path{
		level: cpu.AVX2, perWord: 1, pack: packAVX2, packSide: sideAVX2, widen: widenAVX2, fetch: fetch,
	}, 8, packed256[:], direct256[:], across256[:], int8256[:])
	avx512BF16 = assembly(path{
		level: cpu.AVX512, perWord: 2, pack: packBF16, packSide: sideBF16, row: roundRow, widen: widenBF16, fetch: fetch,
	}, 16, packedBF16[:], directBF16[:], nil, int8BF16[:])
)

// paths are the float32 paths by level.
var paths = []*path{&portable, &avx2, &avx512}

// bf16Path returns the path that multiplies bfloat16s, if the processor has one.
func bf16Path(level cpu.Level) *path {
	if level == cpu.AVX512 && cpu.HasBF16() {
		return &avx512BF16
	}
	return nil
}

// The tiles, by number of rows.
var (
	packed512 = [...]packedTiles{
		{}, {avx512Packed1x1, avx512Packed1x2}, {avx512Packed2x1, avx512Packed2x2},
		{avx512Packed3x1, avx512Packed3x2}, {avx512Packed4x1, avx512Packed4x2}, {avx512Packed5x1, avx512Packed5x2},
		{avx512Packed6x1, avx512Packed6x2}, {avx512Packed7x1, avx512Packed7x2}, {avx512Packed8x1, avx512Packed8x2},
		{avx512Packed9x1, avx512Packed9x2}, {avx512Packed10x1, avx512Packed10x2}, {avx512Packed11x1, avx512Packed11x2},
		{avx512Packed12x1, avx512Packed12x2}, {avx512Packed13x1, avx512Packed13x2}, {avx512Packed14x1, avx512Packed14x2},
	}
	direct512 = [...]directTiles{
		{}, {avx512Direct1x1, avx512Direct1x2}, {avx512Direct2x1, avx512Direct2x2},
		{avx512Direct3x1, avx512Direct3x2}, {avx512Direct4x1, avx512Direct4x2}, {avx512Direct5x1, avx512Direct5x2},
		{avx512Direct6x1, avx512Direct6x2}, {avx512Direct7x1, avx512Direct7x2}, {avx512Direct8x1, avx512Direct8x2},
		{avx512Direct9x1, avx512Direct9x2}, {avx512Direct10x1, avx512Direct10x2}, {avx512Direct11x1, avx512Direct11x2},
		{avx512Direct12x1, avx512Direct12x2}, {avx512Direct13x1, avx512Direct13x2}, {avx512Direct14x1, avx512Direct14x2},
	}
	across512 = [...]directTiles{
		{}, {avx512Across1x1, avx512Across1x2}, {avx512Across2x1, avx512Across2x2},
		{avx512Across3x1, avx512Across3x2}, {avx512Across4x1, avx512Across4x2}, {avx512Across5x1, avx512Across5x2},
		{avx512Across6x1, avx512Across6x2}, {avx512Across7x1, avx512Across7x2}, {avx512Across8x1, avx512Across8x2},
		{avx512Across9x1, avx512Across9x2}, {avx512Across10x1, avx512Across10x2}, {avx512Across11x1, avx512Across11x2},
		{avx512Across12x1, avx512Across12x2}, {avx512Across13x1, avx512Across13x2}, {avx512Across14x1, avx512Across14x2},
	}
	packed256 = [...]packedTiles{
		{}, {avx2Packed1x1, avx2Packed1x2}, {avx2Packed2x1, avx2Packed2x2},
		{avx2Packed3x1, avx2Packed3x2}, {avx2Packed4x1, avx2Packed4x2}, {avx2Packed5x1, avx2Packed5x2},
		{avx2Packed6x1, avx2Packed6x2},
	}
	direct256 = [...]directTiles{
		{}, {avx2Direct1x1, avx2Direct1x2}, {avx2Direct2x1, avx2Direct2x2},
		{avx2Direct3x1, avx2Direct3x2}, {avx2Direct4x1, avx2Direct4x2}, {avx2Direct5x1, avx2Direct5x2},
		{avx2Direct6x1, avx2Direct6x2},
	}
	across256 = [...]directTiles{
		{}, {avx2Across1x1, avx2Across1x2}, {avx2Across2x1, avx2Across2x2},
		{avx2Across3x1, avx2Across3x2}, {avx2Across4x1, avx2Across4x2}, {avx2Across5x1, avx2Across5x2},
		{avx2Across6x1, avx2Across6x2},
	}
	packedBF16 = [...]packedTiles{
		{}, {bf16Packed1x1, bf16Packed1x2}, {bf16Packed2x1, bf16Packed2x2},
		{bf16Packed3x1, bf16Packed3x2}, {bf16Packed4x1, bf16Packed4x2}, {bf16Packed5x1, bf16Packed5x2},
		{bf16Packed6x1, bf16Packed6x2}, {bf16Packed7x1, bf16Packed7x2}, {bf16Packed8x1, bf16Packed8x2},
		{bf16Packed9x1, bf16Packed9x2}, {bf16Packed10x1, bf16Packed10x2}, {bf16Packed11x1, bf16Packed11x2},
		{bf16Packed12x1, bf16Packed12x2}, {bf16Packed13x1, bf16Packed13x2}, {bf16Packed14x1, bf16Packed14x2},
	}
	directBF16 = [...]directTiles{
		{}, {bf16Direct1x1, bf16Direct1x2}, {bf16Direct2x1, bf16Direct2x2},
		{bf16Direct3x1, bf16Direct3x2}, {bf16Direct4x1, bf16Direct4x2}, {bf16Direct5x1, bf16Direct5x2},
		{bf16Direct6x1, bf16Direct6x2}, {bf16Direct7x1, bf16Direct7x2}, {bf16Direct8x1, bf16Direct8x2},
		{bf16Direct9x1, bf16Direct9x2}, {bf16Direct10x1, bf16Direct10x2}, {bf16Direct11x1, bf16Direct11x2},
		{bf16Direct12x1, bf16Direct12x2}, {bf16Direct13x1, bf16Direct13x2}, {bf16Direct14x1, bf16Direct14x2},
	}
	int8512  = [...]int8Tile{nil, avx512Int8x1, avx512Int8x2, avx512Int8x3, avx512Int8x4, avx512Int8x5, avx512Int8x6, avx512Int8x7, avx512Int8x8}
	int8256  = [...]int8Tile{nil, avx2Int8x1, avx2Int8x2, avx2Int8x3, avx2Int8x4}
	int8BF16 = [...]int8Tile{nil, bf16Int8x1, bf16Int8x2, bf16Int8x3, bf16Int8x4, bf16Int8x5, bf16Int8x6, bf16Int8x7, bf16Int8x8}
)
