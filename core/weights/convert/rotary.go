package convert

// Two layouts of the rows of q and k exist. RoPE rotates pairs of elements of a head. In the
// original layout, which llama2.c and llama.cpp keep for Llama, a pair is two neighbours (2i,
// 2i+1). In Hugging Face's layout it is element i of either half (i, i+dim/2). The tensors differ
// in the order of rows within heads.

// interleave reorders w [heads*dim, cols] from Hugging Face's layout to the original.
func interleave(w []float32, dim, cols int) {
	reorder(w, dim, cols, func(row int) int { return row%2*dim/2 + row/2 })
}

// deinterleave is the inverse of interleave.
func deinterleave(w []float32, dim, cols int) {
	reorder(w, dim, cols, func(row int) int { return row%(dim/2)*2 + row/(dim/2) })
}

// reorder moves row from(i) of each head to row i.
func reorder(w []float32, dim, cols int, from func(row int) int) {
	head := make([]float32, dim*cols)
	for ; len(w) > 0; w = w[len(head):] {
		copy(head, w)
		for i := range dim {
			copy(w[i*cols:(i+1)*cols], head[from(i)*cols:])
		}
	}
}
