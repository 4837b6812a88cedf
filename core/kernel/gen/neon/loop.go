package neon

import "fmt"

// Loop writes a loop of count steps, several at a time as long as enough are left: step(n) writes
// n of them and advances the pointers. groups are the numbers of steps at a time, the largest
// first, down to 1. The loop changes count.
func (f *File) Loop(name string, count GP, groups []int, step func(n int)) {
	for _, n := range groups {
		label := fmt.Sprintf("%s%d", name, n)
		f.Op("CMP", Imm(n), count)
		f.Op("BLT", label+"end")
		f.Label(label)
		step(n)
		f.Op("SUB", Imm(n), count)
		f.Op("CMP", Imm(n), count)
		f.Op("BGE", label)
		f.Label(label + "end")
	}
}
