package kernel

// Dropout sets y to x with each element zeroed with probability p, and the others divided by
// 1-p. The choice depends on the key and the element's index alone: the gradient draws the
// same again, and nothing needs to be kept.
func Dropout(y, x []float32, p float64, key uint64) {
	dropped(y, x, p, key, func(_, v float32) float32 { return v })
}

// DropoutGrad adds the gradient of x to dx, given dy of the y that Dropout set.
func DropoutGrad(dx, dy []float32, p float64, key uint64) {
	dropped(dx, dy, p, key, func(d, v float32) float32 { return d + v })
}

// dropped sets dst[i] to join(dst[i], v), where v is src[i] after dropout.
func dropped(dst, src []float32, p float64, key uint64, join func(d, v float32) float32) {
	least, scale := uint64(p*(1<<32)), float32(1/(1-p))
	parallelRows(len(src), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			var v float32
			if Mix(key, uint64(i))>>32 >= least {
				v = src[i] * scale
			}
			dst[i] = join(dst[i], v)
		}
	})
}

// Mix returns a pseudo-random number that depends on key and n: output n of SplitMix64 from
// the state key (Steele, Lea and Flood, OOPSLA 2014).
func Mix(key, n uint64) uint64 {
	z := key + (n+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
