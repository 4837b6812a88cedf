// Package gemm multiplies float32 matrices on one thread. It knows nothing of models. Package
// kernel splits the work over threads.
//
// Begin with [Product] for one multiplication and [Panels] for an operand that you use again.
//
// A product is c[i,j] = Σ_k a(i,k)·b(j,k): both operands are sets of lines that share the depth
// k. A line is a row or a column of a row-major array (Rows, Columns). This gives the three
// forms that training needs (x·wᵀ, dy·w, dyᵀ·x) without a transposed copy.
//
// The scheme follows Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008), with one operand left in place:
//
//   - b is packed into panels that a register tile reads in order. If you multiply again and
//     again by one b, pack it once (Panels).
//   - a is multiplied where it lies. There are tiles for rows and for columns. Only rows whose
//     distance is a multiple of 4 KB are packed, because they compete for the same lines of the
//     caches. In bf16 a is rounded, and so copied. NEON has no tiles for columns and packs.
//   - A call covers blocks of at most 768 words of depth and computes some register tiles one
//     below the other. A tile asks for its rows of c one by one while it multiplies; asking for
//     all at once would keep its operands waiting.
//
// An element of c is a sum over depth blocks whose borders depend on the depth alone, and
// within a block a chain in order of k. So it does not depend on the number of other lines in
// the call, nor on how a caller splits lines over threads, bit for bit.
package gemm
