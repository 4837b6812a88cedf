package gemm

import "github.com/herd-lm/herd/core/memory"

// Scratch is what one thread needs to multiply. Borrow lends one.
type Scratch struct {
	a       [blockA + slack]float32
	wide    [blockWords * mostLines]float32 // a panel of b that is not kept as words
	edge    [tileMost]float32
	product Product
	panels  Panels
}

var scratches memory.Pool[Scratch]

// Borrow returns a Scratch that nobody else uses until it is given back.
func Borrow() *Scratch { return scratches.Get() }

// GiveBack ends the loan.
func (s *Scratch) GiveBack() { scratches.Put(s) }

// Release drops the memory that threads keep for the products to come.
func Release() { scratches.Forget() }

// ScratchBytes returns the most memory that a thread keeps where the largest b of
// a product has factor elements.
func ScratchBytes(factor int) int64 {
	return 4 * int64(blockA+slack+blockWords*mostLines+tileMost+min(factor, panelWords))
}
