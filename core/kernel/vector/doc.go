// Package vector does arithmetic on float32 vectors on one thread: sums, elementwise products,
// exponentials and the optimiser's update. Each routine exists in Go and in assembly for AVX2,
// AVX-512 and NEON; package cpu selects one. They agree to rounding, not to the bit, because a
// sum is taken in as many interleaved parts as suit the vectors.
//
// A routine goes by the length of its first argument unless its comment says otherwise; the
// other arguments may be longer. Arguments may be the same slice but must not overlap in part.
package vector
