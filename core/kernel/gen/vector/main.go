// Command vector writes the assembly of package vector for AVX-512 and for AVX2 with FMA. Every
// routine takes Go slices and processes as many elements as the first has.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

func main() {
	ConstraintExpr("amd64")
	t := constants()
	for _, s := range []isa.Set{isa.AVX512, isa.AVX2} {
		w := writer{s, t}
		w.sums()
		w.elementwise()
		w.exponentials()
		w.copies()
		w.attention()
		w.adam()
	}
	Generate()
}

// writer writes routines for one instruction set.
type writer struct {
	isa.Set
	table isa.Table
}

// routine writes one function; parameters is the inside of its signature.
func (w writer) routine(name, parameters, result, doc string, body func()) {
	TEXT(w.Name+name, 4, "func("+parameters+") "+result) // NOSPLIT
	Doc(w.Name + name + " " + doc)
	Pragma("noescape")
	body()
	VZEROUPPER()
	RET()
}

// base and length load the parts of a slice parameter.
func base(name string) reg.Register   { return Load(Param(name).Base(), GP64()) }
func length(name string) reg.Register { return Load(Param(name).Len(), GP64()) }

// bases loads several.
func bases(names ...string) []reg.Register {
	var r []reg.Register
	for _, name := range names {
		r = append(r, base(name))
	}
	return r
}

func (w writer) each(first string, body func(l *isa.Lanes)) {
	w.Each(w.table, "loop", length(first), body)
}
