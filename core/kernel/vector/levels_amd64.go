package vector

// levels are the implementations, by cpu.Level.
var levels = completed(&portable, &avx2, &avx512)

var avx2 = routines{
	dot: avx2Dot, dot3: avx2Dot3, largest: avx2Max, sumSquares: avx2SumSquares, scale: avx2Scale, addScaled: avx2AddScaled,
	product: avx2Product, addProduct: avx2AddProduct, normGrad: avx2NormGrad, normGradAdd: avx2NormGradAdd, rotate: avx2Rotate,
	expSum: avx2ExpSum, gate: avx2Gate, gateGrad: avx2GateGrad, adam: avx2Adam,
	softmaxRows: avx2SoftmaxRows, scoreGradRows: avx2ScoreGradRows, scaleRows: avx2ScaleRows, copyRows: avx2CopyRows,
}

var avx512 = routines{
	dot: avx512Dot, dot3: avx512Dot3, largest: avx512Max, sumSquares: avx512SumSquares, scale: avx512Scale, addScaled: avx512AddScaled,
	product: avx512Product, addProduct: avx512AddProduct, normGrad: avx512NormGrad, normGradAdd: avx512NormGradAdd, rotate: avx512Rotate,
	expSum: avx512ExpSum, gate: avx512Gate, gateGrad: avx512GateGrad, adam: avx512Adam,
	softmaxRows: avx512SoftmaxRows, scoreGradRows: avx512ScoreGradRows, scaleRows: avx512ScaleRows, copyRows: avx512CopyRows,
}
