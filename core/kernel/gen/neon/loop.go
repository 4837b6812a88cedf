package neon

// Loop makes count steps, several at a time while there are enough: step(n)
// writes n of them and moves the pointers on. It uses count up.
func (f *File) Loop(name string, count GP, group int, step func(n int)) {
	single, done := name+"single", name+"done"
	f.Op("CMP", Imm(group), count)
	f.Op("BLT", single)
	f.Label(name)
	step(group)
	f.Op("SUB", Imm(group), count)
	f.Op("CMP", Imm(group), count)
	f.Op("BGE", name)
	f.Label(single)
	f.Op("CBZ", count, done)
	f.Label(single + "loop")
	step(1)
	f.Op("SUB", Imm(1), count)
	f.Op("CBNZ", count, single+"loop")
	f.Label(done)
}
