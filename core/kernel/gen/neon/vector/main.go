// Command vector writes the assembly of package vector for NEON. Every routine takes Go slices
// and processes as many elements as the first has.
package main

import (
	"log"
	"math"
	"strings"

	. "github.com/herd-lm/herd/core/kernel/gen/neon"
)

func main() {
	w := writer{File: &File{}}
	w.sums()
	w.elementwise()
	w.exponentials()
	w.adam()
	w.Write()
}

// writer assigns the registers of a routine in order.
type writer struct {
	*File
	vec Vec // the next
	gp  GP
}

// routine writes one function; parameters is the inside of its signature.
func (w *writer) routine(name, parameters, result, doc string, body func()) {
	w.vec, w.gp = 0, 0
	w.Routine("neon"+name, strings.TrimSpace("("+parameters+") "+result), doc, body)
}

// Vec returns a register that is free until the end of the routine, or of the loop iteration that
// asks for it.
func (w *writer) Vec() Vec {
	if w.vec == 32 {
		log.Fatal("out of vector registers")
	}
	w.vec++
	return w.vec - 1
}

// GP returns a register that is free until the end of the routine.
func (w *writer) GP() GP {
	if w.gp == 18 {
		log.Fatal("out of general registers")
	}
	w.gp++
	return w.gp - 1
}

// word loads a parameter of 8 bytes. base and length load the parts of a slice.
func (w *writer) word(name string) GP {
	r := w.GP()
	w.Op("MOVD", w.Argument(name), r)
	return r
}

func (w *writer) base(name string) GP   { return w.word(name + "_base") }
func (w *writer) length(name string) GP { return w.word(name + "_len") }

// bases loads several.
func (w *writer) bases(names ...string) (r []GP) {
	for _, name := range names {
		r = append(r, w.base(name))
	}
	return r
}

// broadcast loads a float32 parameter into every lane.
func (w *writer) broadcast(name string) Vec {
	v := w.Vec()
	w.Op("FMOVS", w.Argument(name), v.F())
	w.Spread(v, v)
	return v
}

// bits returns a register with a constant in every lane.
func (w *writer) bits(b uint32) Vec {
	const scratch GP = 19
	v := w.Vec()
	w.Op("MOVW", Imm(int(b)), scratch)
	w.Op("VDUP", scratch, v)
	return v
}

func (w *writer) constant(x float32) Vec { return w.bits(math.Float32bits(x)) }

// zeros returns n cleared registers.
func (w *writer) zeros(n int) []Vec {
	v := make([]Vec, n)
	for i := range v {
		v[i] = w.Vec()
		w.Zero(v[i])
	}
	return v
}

// lanes is an iteration of a loop over float32 arrays. It processes vector v of several or, at
// the end of the arrays, a single element in the lowest lane.
type lanes struct {
	*writer
	v      int
	single bool
}

// each writes a loop over n elements of the arrays at p: body for every vector, at most vectors at
// a time, then for the remaining elements one by one. The loop changes p.
func (w *writer) each(name string, n GP, p []GP, vectors int, body func(l lanes)) {
	groups := []int{4 * vectors, 4, 1}
	if vectors == 1 {
		groups = groups[1:]
	}
	w.Loop(name, n, groups, func(n int) {
		for v := range max(1, n/4) {
			free := w.vec
			body(lanes{w, v, n == 1})
			w.vec = free
		}
		for _, base := range p {
			w.Op("ADD", Imm(4*n), base)
		}
	})
}

// load loads the iteration's elements at base. The other lanes become 0.
func (l lanes) load(base GP) Vec {
	v := l.Vec()
	l.Op(l.move(), At(base, 16*l.v), v.F())
	return v
}

func (l lanes) store(v Vec, base GP) { l.Op(l.move(), v.F(), At(base, 16*l.v)) }

func (l lanes) move() string {
	if l.single {
		return "FMOVS"
	}
	return "FMOVQ"
}
