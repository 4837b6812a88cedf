package gemm

import "github.com/herd-lm/herd/core/memory"

// Scratch is the memory that one thread needs to multiply. Borrow returns one.
type Scratch struct {
	a       [blockA + slack]float32
	wide    [blockWords * mostLines]float32 // a panel of b that is not stored as words
	edge    [tileMost]float32
	product Product
	panels  Panels
}

var scratches memory.Pool[Scratch]

// Borrow returns a Scratch for the caller alone. Return it with GiveBack.
func Borrow() *Scratch { return scratches.Get() }

// GiveBack returns s to the pool.
func (s *Scratch) GiveBack() { scratches.Put(s) }

// Release frees the memory that threads keep for later products.
func Release() { scratches.Forget() }

// ScratchBytes returns the most memory that a thread keeps if the largest b of a product has
// factor elements.
func ScratchBytes(factor int) int64 {
	return 4 * int64(blockA+slack+blockWords*mostLines+tileMost+min(factor, panelWords))
}
