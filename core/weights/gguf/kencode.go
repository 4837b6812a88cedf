package gguf

import "math"

// ggml's reference for the scales of K-quants without importance weights
// (quantize_row_q4_K_ref, quantize_row_q6_K_ref, make_qkx2_quants, make_qx_quants). Keep the
// order of every operation: another order rounds differently and chooses other scales.

// tiny is the magnitude below which a group counts as zero (GROUP_MAX_EPS).
const tiny = 1e-15

// nearest rounds to the nearest integer, ties to even, for |x| < 2^22.
func nearest(x float32) int {
	return int(math.Float32bits(float32(x)+12582912)&0x7fffff) - 0x400000
}

func encodeQ4_K(dst []byte, src []float32) {
	var scales, minima [8]float32
	var q [superBlock]byte
	for g := range 8 {
		scales[g], minima[g] = fitScaleMin(src[32*g:32*g+32], q[32*g:32*g+32])
	}
	maxScale, maxMin := largest(scales), largest(minima)
	putF16(dst, maxScale/63)
	putF16(dst[2:], maxMin/63)
	packed := dst[4:16]
	for g := range 8 {
		putScaleMin(packed, g, sixBits(scales[g], maxScale), sixBits(minima[g], maxMin))
	}
	d, dmin := readF16(dst), readF16(dst[2:])
	for g := range 8 {
		s, m := scaleMin(packed, g)
		requantise(q[32*g:32*g+32], src[32*g:32*g+32], d*float32(s), float32(dmin*float32(m)))
	}
	for g := 0; g < 8; g += 2 {
		for i := range 32 {
			dst[16+16*g+i] = q[32*g+i] | q[32*g+32+i]<<4
		}
	}
}

func largest(x [8]float32) float32 {
	most := float32(0)
	for _, v := range x {
		most = max(most, v)
	}
	return most
}

// sixBits returns x/most in units of 1/63.
func sixBits(x, most float32) byte {
	inverse := float32(0)
	if most > 0 {
		inverse = 63 / most
	}
	return min(63, byte(nearest(inverse*x)))
}

// requantise sets q to the numbers nearest to x, given the scale and the minimum that a reader
// will see. With a scale of 0 it leaves q unchanged.
func requantise(q []byte, x []float32, scale, least float32) {
	if scale == 0 {
		return
	}
	for i, v := range x {
		q[i] = byte(max(0, min(15, nearest((v+least)/scale))))
	}
}

// fitScaleMin returns the scale and the minimum (negated) with which 4-bit numbers approximate a
// group of 32, and sets q to these numbers. Magnitude weighs the elements. It tries 21 scales
// and solves for the best scale and minimum for the numbers that each gives. Each try starts from
// the minimum found before.
func fitScaleMin(x []float32, q []byte) (scale, least float32) {
	var weights [32]float32
	weigh(&weights, x)
	low, high := x[0], x[0]
	sumW, sumX := weights[0], float32(weights[0]*x[0])
	for i := 1; i < len(x); i++ {
		low, high = min(low, x[i]), max(high, x[i])
		sumW += weights[i]
		sumX += float32(weights[i] * x[i])
	}
	low = min(low, 0)
	if high == low {
		clear(q)
		return 0, -low
	}
	inverse := 15 / (high - low)
	scale = 1 / inverse
	fours(q, x, inverse, low)
	best := deviation(x, q, &weights, scale, low)
	var try [32]byte
	for step := range 21 {
		inverse = (-1 + float32(0.1*float32(step)) + 15) / (high - low)
		fours(try[:], x, inverse, low)
		s, m, ok := solve(x, try[:], &weights, sumW, sumX)
		if !ok {
			continue
		}
		if e := deviation(x, try[:], &weights, s, m); e < best {
			copy(q, try[:])
			best, scale, low = e, s, m
		}
	}
	return scale, -low
}

// weigh sets the weight of each element: its magnitude plus the root mean square of the group.
func weigh(weights *[32]float32, x []float32) {
	squares := float32(0)
	for _, v := range x {
		squares += float32(v * v)
	}
	mean := float32(math.Sqrt(float64(squares / 32)))
	for i, v := range x {
		weights[i] = mean + abs(v)
	}
}

// fours sets q to the 4-bit numbers of x above low.
func fours(q []byte, x []float32, inverse, low float32) {
	for i, v := range x {
		q[i] = byte(max(0, min(15, nearest(inverse*(v-low)))))
	}
}

// deviation returns the weighted square error of scale*q + low.
func deviation(x []float32, q []byte, weights *[32]float32, scale, low float32) float32 {
	sum := float32(0)
	for i, v := range x {
		diff := float32(scale*float32(q[i])) + low - v
		diff *= diff
		sum += float32(weights[i] * diff)
	}
	return sum
}

// solve returns the scale and the minimum (at most 0) that fit x best with the numbers q, by
// weighted least squares; false if q does not determine them.
func solve(x []float32, q []byte, weights *[32]float32, sumW, sumX float32) (scale, low float32, ok bool) {
	var sumL, sumL2, sumXL float32
	for i, v := range x {
		l := float32(q[i])
		wl := float32(weights[i] * l)
		sumL += wl
		sumL2 += float32(wl * l)
		sumXL += float32(wl * v)
	}
	det := float32(sumW*sumL2) - float32(sumL*sumL)
	if det <= 0 {
		return 0, 0, false
	}
	scale = (float32(sumW*sumXL) - float32(sumX*sumL)) / det
	low = (float32(sumL2*sumX) - float32(sumL*sumXL)) / det
	if low > 0 {
		return sumXL / sumL2, 0, true
	}
	return scale, low, true
}

func encodeQ6_K(dst []byte, src []float32) {
	low, high, scales := dst[:128], dst[128:192], dst[192:208]
	var exact [16]float32
	var q [superBlock]byte
	for g := range 16 {
		exact[g] = fitScale(src[16*g:16*g+16], q[16*g:16*g+16])
	}
	most := extreme(exact[:])
	if abs(most) < tiny {
		clear(dst)
		return
	}
	inverse := -128 / most
	putF16(dst[208:], 1/inverse)
	d := readF16(dst[208:])
	for g := range 16 {
		s := int8(min(127, nearest(inverse*exact[g])))
		scales[g] = byte(s)
		sixes(q[16*g:16*g+16], src[16*g:16*g+16], d*float32(s))
	}
	putSixes(low, high, &q)
}

// sixes sets q to the 6-bit numbers nearest to x, given the scale that a reader will see. With a
// scale of 0 it leaves q unchanged.
func sixes(q []byte, x []float32, scale float32) {
	if scale == 0 {
		return
	}
	for i, v := range x {
		q[i] = byte(max(-32, min(31, nearest(v/scale))) + 32)
	}
}

// fitScale returns the scale with which 6-bit numbers approximate a group of 16, and sets q to
// these numbers plus 32. The square weighs the elements. It tries 19 scales and solves for the
// best one for the numbers that each gives.
func fitScale(x []float32, q []byte) float32 {
	most := extreme(x)
	if abs(most) < tiny {
		clear(q)
		return 0
	}
	inverse := -32 / most
	sixesBy(q, x, inverse)
	sumLX, sumL2 := correlate(x, inverse)
	scale := float32(0)
	if sumL2 != 0 {
		scale = sumLX / sumL2
	}
	best := scale * sumLX
	for step := -9; step <= 9; step++ {
		if step == 0 {
			continue
		}
		inverse = -(32 + float32(0.1*float32(step))) / most
		sumLX, sumL2 = correlate(x, inverse)
		if sumL2 > 0 && sumLX*sumLX > best*sumL2 {
			sixesBy(q, x, inverse)
			scale = sumLX / sumL2
			best = scale * sumLX
		}
	}
	return scale
}

// correlate returns the sums of x^2*x*l and x^2*l^2 over the numbers l that inverse gives.
func correlate(x []float32, inverse float32) (sumLX, sumL2 float32) {
	for _, v := range x {
		l := float32(max(-32, min(31, nearest(inverse*v))))
		w := v * v
		sumLX += float32(float32(w*v) * l)
		sumL2 += float32(float32(w*l) * l)
	}
	return sumLX, sumL2
}

// sixesBy sets q to the numbers that inverse gives, plus 32.
func sixesBy(q []byte, x []float32, inverse float32) {
	for i, v := range x {
		q[i] = byte(max(-32, min(31, nearest(inverse*v))) + 32)
	}
}
