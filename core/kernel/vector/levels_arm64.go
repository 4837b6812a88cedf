package vector

// levels are the implementations, by cpu.Level.
var levels = completed(&portable, &neon)

var neon = routines{
	dot: neonDot, dot3: neonDot3, largest: neonMax, sumSquares: neonSumSquares, scale: neonScale, addScaled: neonAddScaled,
	product: neonProduct, addProduct: neonAddProduct, scoreGrad: neonScoreGrad, normGrad: neonNormGrad, normGradAdd: neonNormGradAdd, rotate: rotateByRun(neonRotate),
	expSum: neonExpSum, gate: neonGate, gateGrad: neonGateGrad, adam: neonAdam,
}
