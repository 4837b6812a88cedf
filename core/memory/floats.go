package memory

// Floats returns n zeros, for a large array that lives long. It asks the system for huge pages
// if these are granted on request: a matrix product walks over more small pages at a time than
// the processor's address cache (TLB) holds.
func Floats(n int) []float32 {
	x := make([]float32, n)
	adviseHuge(x)
	return x
}
