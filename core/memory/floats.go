package memory

// Floats returns n zeros for an array that is large and lives long: where the
// system has huge pages for who asks, it asks, because a matrix product walks
// over more pages at a time than the processor can remember.
func Floats(n int) []float32 {
	x := make([]float32, n)
	adviseHuge(x)
	return x
}
