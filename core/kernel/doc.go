// Package kernel does the arithmetic of a Llama on float32 slices. Each operation comes with
// its gradient. Arrays are row-major; n counts tokens and d is the width of a hidden state.
//
// Begin with [Precision]: every operation that multiplies matrices is one of its methods. The
// others are functions on slices, such as [RMSNorm], [SwiGLU] and [AdamW].
//
// # What callers can rely on
//
// Results are the same for any number of threads, bit for bit. Kernels split work by outputs
// only. A sum that crosses a split is taken in a block order that depends on the shape alone. A
// row of a product does not depend on the rows beside it, so decoding in a batch equals
// decoding alone. The set of instructions (environment variable HERD_CPU: generic, avx2 or
// avx512; generic or neon on arm64) does change the last bits.
//
// Kernels check nothing but slice bounds: token.Batch.Validate checks their inputs. They
// allocate nothing in steady state but the closure of a parallel loop.
//
// # Attention and the head
//
// Attention is blocked with an online softmax, over keys and values that are packed once for
// all queries. The head works in chunks of the rows (cross-entropy) or of the vocabulary
// (log-probabilities). Neither the square of scores nor the logits of all rows ever exist
// whole. CrossEntropy computes its gradient in the forward pass while the logits are there, so
// that they are computed once.
//
// # Precision
//
// In bf16 the factors of a product are rounded while they are packed, two to a word, and
// multiplied with VDPBF16PS where the processor has it. Elsewhere the rounded factors are
// multiplied as float32; the results are the same but for the order of sums, and come more
// slowly. Sums, weights, gradients, moments and all activations stay float32.
//
// int8 is for decoding only. Weights that are packed once are rounded in blocks of 64 depths of a
// line to 127 steps of the largest, which takes 1.06 bytes an element. The values do not depend
// on the processor. A panel is widened to the words that the register
// tiles read (float32, or pairs of bfloat16 where the processor multiplies those) once for a
// block of rows. For up to eight rows (four on AVX2) there are tiles that widen in registers,
// with the same bits. All other products in int8 multiply as fp32, and training refuses int8.
//
// # How threads share a product
//
// With enough rows each thread takes a run of rows and packs one share of the panels
// (gemm.Shares). It multiplies by its own share first while the others pack theirs, so no
// thread waits. With few rows all threads pack, then all multiply. The split changes no bit.
//
// A block of rows goes through all depths before the next block begins. When its rows are
// complete, the operation that follows runs on them on the same thread: SwiGLU behind gate and
// up, bias and rotation behind queries, keys and values, the softmax behind the logits. A
// residual is added as the tile is stored. Rows of logits lie an odd number of cache lines apart
// ([LogitRow]), so that they do not compete for the same lines of the caches.
//
// # Keys and values in decoding
//
// A [Page] holds the keys and values of 32 positions, packed as the register tiles read them: a
// key is a line of its page's panel, a value a depth. Attention over cached positions is
// therefore two matrix products a page. Rows that share a page, such as the samples of one
// prompt or the tokens of a prompt, meet it in one product. The sums of a row are taken page by
// page in the order of positions, so neither the other rows nor the origin of a page changes a
// bit.
//
// Decoding one sequence is bound by reading the weights. Tiles with few rows fetch weights
// ahead, and each thread reads its own range of panels once.
//
// # Code and instructions
//
// Matrix products (package gemm) and vector routines (package vector) exist in Go and in
// assembly for AVX2, AVX-512 and NEON. The generators in core/kernel/gen write the assembly.
// They are a module of their own, so that only they need avo. avo knows amd64 only, so gen/neon
// writes the text for arm64 itself. The NEON kernels have run under qemu only: tests cover
// their results, and their speed is unknown.
package kernel
