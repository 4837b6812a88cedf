// Package kernel is the arithmetic of a Llama on float32 slices, each operation
// with its gradient. Arrays are row-major; n counts tokens and d the width of a
// hidden state.
//
// Results are the same for any number of threads, bit for bit: work is split by
// outputs only, and a sum that crosses a split is taken in a block order that
// depends on the shape alone. A row of Linear does not depend on the rows beside
// it, so that decoding in a batch equals decoding alone.
//
// Kernels check nothing but slice bounds: token.Batch.Validate is the gate.
// They allocate nothing in steady state but the closure of a parallel loop.
package kernel
