package vector

// levels are the implementations, by cpu.Level.
var levels = []*routines{&portable, &avx2, &avx512}

var avx2 = routines{
	dot: avx2Dot, dot3: avx2Dot3, largest: avx2Max, sumSquares: avx2SumSquares, scale: avx2Scale, addScaled: avx2AddScaled,
	product: avx2Product, addProduct: avx2AddProduct, scoreGrad: avx2ScoreGrad, normGrad: avx2NormGrad, normGradAdd: avx2NormGradAdd, rotate: avx2Rotate,
	expSum: avx2ExpSum, gate: avx2Gate, gateGrad: avx2GateGrad, dotRows: avx2DotRows, addRows: avx2AddRows, adam: avx2Adam,
}

var avx512 = routines{
	dot: avx512Dot, dot3: avx512Dot3, largest: avx512Max, sumSquares: avx512SumSquares, scale: avx512Scale, addScaled: avx512AddScaled,
	product: avx512Product, addProduct: avx512AddProduct, scoreGrad: avx512ScoreGrad, normGrad: avx512NormGrad, normGradAdd: avx512NormGradAdd, rotate: avx512Rotate,
	expSum: avx512ExpSum, gate: avx512Gate, gateGrad: avx512GateGrad, dotRows: avx512DotRows, addRows: avx512AddRows, adam: avx512Adam,
}
