package neon

import "fmt"

// Loop makes count steps, several at a time while there are enough: step(n)
// writes n of them and moves the pointers on. groups are how many at a time, the
// most first, down to 1. It uses count up.
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
