package kernel

import "math"

// Fingerprint returns a hash of the bits of x. Different arrays almost certainly have
// different fingerprints, but it is not cryptographic: someone could construct a collision.
func Fingerprint(x []float32) uint64 {
	const block = 1 << 14
	blocks := (len(x) + block - 1) / block
	sums := make([]uint64, blocks)
	Parallel(blocks, func(i int) {
		sums[i] = chain(uint64(i), x[i*block:min(len(x), (i+1)*block)])
	})
	h := uint64(len(x))
	for _, s := range sums {
		h = Mix(h^s, 0)
	}
	return h
}

// chain returns the FNV-1a hash of the words of x.
func chain(h uint64, x []float32) uint64 {
	const prime = 0x100000001b3
	h ^= 0xcbf29ce484222325
	for _, v := range x {
		h = (h ^ uint64(math.Float32bits(v))) * prime
	}
	return h
}
