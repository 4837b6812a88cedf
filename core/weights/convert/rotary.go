package convert

// Two layouts of the rows of q and k are in use. Rotary embeddings turn pairs of
// elements of a head: in the original one, which llama2.c and llama.cpp keep for
// Llama, a pair is two neighbours (2i, 2i+1); in Hugging Face's it is element i of
// either half (i, i+dim/2). The tensors differ in the order of rows within heads.

// interleave brings w [heads*dim, cols] from Hugging Face's order to the original.
func interleave(w []float32, dim, cols int) {
	reorder(w, dim, cols, func(row int) int { return row%2*dim/2 + row/2 })
}

// deinterleave is the inverse of interleave.
func deinterleave(w []float32, dim, cols int) {
	reorder(w, dim, cols, func(row int) int { return row%(dim/2)*2 + row/(dim/2) })
}

// reorder puts row from(i) of each head in the place of row i.
func reorder(w []float32, dim, cols int, from func(row int) int) {
	head := make([]float32, dim*cols)
	for ; len(w) > 0; w = w[len(head):] {
		copy(head, w)
		for i := range dim {
			copy(w[i*cols:(i+1)*cols], head[from(i)*cols:])
		}
	}
}
