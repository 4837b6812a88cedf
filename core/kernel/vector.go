package kernel

import "math"

// dot returns Σ a·b, in eight interleaved sums.
func dot(a, b []float32) float32 {
	var s [8]float32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		for l := range s {
			s[l] += a[l] * b[l]
		}
		a, b = a[8:], b[8:]
	}
	for l := range a {
		s[l] += a[l] * b[l]
	}
	return fold(s)
}

// dot3 returns Σ a·b·c, in eight interleaved sums.
func dot3(a, b, c []float32) float32 {
	var s [8]float32
	b, c = b[:len(a)], c[:len(a)]
	for len(a) >= 8 && len(b) >= 8 && len(c) >= 8 {
		for l := range s {
			s[l] += a[l] * b[l] * c[l]
		}
		a, b, c = a[8:], b[8:], c[8:]
	}
	for l := range a {
		s[l] += a[l] * b[l] * c[l]
	}
	return fold(s)
}

func fold(s [8]float32) float32 {
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

// add computes y += x.
func add(y, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += x[i]
	}
}

// addScaled computes y += a·x.
func addScaled(y []float32, a float32, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += a * x[i]
	}
}

// scale computes y *= a.
func scale(y []float32, a float32) {
	for i := range y {
		y[i] *= a
	}
}

func maximum(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// expShifted replaces x by exp(x − shift) and returns the sum, in eight
// interleaved sums.
func expShifted(x []float32, shift float32) float32 {
	var s [8]float32
	for i, v := range x {
		x[i] = exp(v - shift)
		s[i&7] += x[i]
	}
	return fold(s)
}

// exp returns eˣ to within 2 units in the last place; what would be less than
// the smallest normal number is 0. x = n·ln 2 + r with |r| ≤ ln 2 / 2, and eʳ is
// the polynomial of Cephes' expf (S. Moshier, 1992).
func exp(x float32) float32 {
	const (
		log2e = 1.44269504088896341
		ln2Hi = 0.693359375
		ln2Lo = -2.12194440e-4
		round = 3 << 22 // adding and subtracting rounds to the nearest integer
	)
	switch {
	case x != x:
		return x
	case x > 88.72283:
		return float32(math.Inf(1))
	case x < -87.33654:
		return 0
	}
	n := float32(x*log2e+round) - round
	r := x - n*ln2Hi - n*ln2Lo
	p := float32(1.9875691500e-4)
	p = p*r + 1.3981999507e-3
	p = p*r + 8.3334519073e-3
	p = p*r + 4.1665795894e-2
	p = p*r + 1.6666665459e-1
	p = p*r + 5.0000001201e-1
	// n may be 128, which is no exponent: scale in two steps.
	half := int32(n) >> 1
	return (p*r*r + r + 1) * power2(half) * power2(int32(n)-half)
}

func power2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }
