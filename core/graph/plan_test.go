package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// forest is a random graph with its loss, and the gradient of every input.
type forest struct {
	g     *G.ExprGraph
	loss  *G.Node
	grads G.Nodes
	pins  [][]float32 // memory of pinned results

	recompute func(x, y *G.Node)
}

// newForest grows a graph of our operations and Gorgonia's, among them those
// that run in place. It has two trees, grown by turns, whose vectors differ in
// length. The same seed grows the same graph.
func newForest(t *testing.T, seed uint64) *forest {
	t.Helper()
	return newForestWith(t, seed, Recompute)
}

func newForestWith(t *testing.T, seed uint64, recompute func(x, y *G.Node)) *forest {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	f := &forest{g: G.NewGraph(), recompute: recompute}
	var inputs G.Nodes
	var trees [2]G.Nodes
	for i := range trees {
		data := make([]float32, 1+rng.IntN(100))
		for j := range data {
			data[j] = rng.Float32() - 0.5
		}
		trees[i] = G.Nodes{vector(f.g, fmt.Sprint("input", i), data)}
		inputs = append(inputs, trees[i][0])
	}
	for range 6 + rng.IntN(20) {
		i := rng.IntN(len(trees))
		trees[i] = append(trees[i], f.grow(rng, trees[i]))
	}
	f.loss = G.Must(G.Add(sumOf(trees[0]), sumOf(trees[1])))
	var err error
	if f.grads, err = G.Grad(f.loss, inputs...); err != nil {
		t.Fatal(err)
	}
	return f
}

// grow returns a node over one or two of a tree's.
func (f *forest) grow(rng *rand.Rand, tree G.Nodes) *G.Node {
	a, b := tree[rng.IntN(len(tree))], tree[rng.IntN(len(tree))]
	switch rng.IntN(7) {
	case 0:
		return double(a)
	case 1:
		return square(a)
	case 2:
		return product(a, b, nil)
	case 3:
		pin := make([]float32, a.Shape()[0])
		f.pins = append(f.pins, pin)
		return product(a, b, Pin(pin, len(pin)))
	case 4:
		return G.Must(G.HadamardProd(a, b))
	case 5:
		y := square(product(square(a), double(a), nil))
		f.recompute(a, y)
		return y
	}
	return G.Must(G.Add(a, b))
}

// sumOf returns a scalar that depends on every node of a tree.
func sumOf(tree G.Nodes) *G.Node {
	sum := tree[0]
	for _, node := range tree[1:] {
		sum = G.Must(G.Add(sum, G.Must(G.Tanh(node))))
	}
	return G.Must(G.Mean(sum))
}

// results runs the forest and returns everything that it computes, as one list.
func (f *forest) results(t *testing.T, change func(*Plan)) []float32 {
	t.Helper()
	m, _ := planned(t, f.g, change)
	var all []float32
	for range 2 { // the second run starts from what the first left behind
		runMachine(t, m)
		all = append(all, float32(scalar(f.loss)))
		for _, g := range f.grads {
			all = append(all, Floats(g.Value())...)
		}
		for _, pin := range f.pins {
			all = append(all, pin...)
		}
	}
	return all
}

const forests = 60

// TestSharing: memory that buffers share changes no result.
func TestSharing(t *testing.T) {
	for seed := range uint64(forests) {
		shared, alone := newForest(t, seed).results(t, nil), newForest(t, seed).results(t, apart)
		if !slices.Equal(shared, alone) {
			t.Errorf("seed %d: results with shared memory %v, without %v", seed, shared, alone)
		}
	}
}

// TestSharingPlanted lays every buffer over the next: results must differ, or
// TestSharing shows nothing.
func TestSharingPlanted(t *testing.T) {
	wrong := 0
	for seed := range uint64(forests) {
		overlaid := newForest(t, seed).results(t, func(p *Plan) {
			for i := range p.places {
				p.places[i].offset = 0
			}
		})
		if !slices.Equal(overlaid, newForest(t, seed).results(t, apart)) {
			wrong++
		}
	}
	if wrong < forests*3/4 {
		t.Errorf("with all buffers in one place, only %d of %d graphs give wrong results", wrong, forests)
	}
}

// overlaps returns how many pairs of buffers lie over one another while both live.
func overlaps(p *Plan) (n int) {
	for i, a := range p.places {
		for _, b := range p.places[:i] {
			apart := a.end() <= b.offset || b.end() <= a.offset
			if !apart && a.buffer.meets(b.buffer) {
				n++
			}
		}
	}
	return n
}

func TestPlanLayout(t *testing.T) {
	var arena, sum int64
	for seed := range uint64(forests) {
		f := newForest(t, seed)
		_, p := planned(t, f.g, nil)
		if n := overlaps(p); n > 0 {
			t.Errorf("seed %d: %d pairs of buffers overlap", seed, n)
		}
		var end int
		for _, at := range p.places {
			end = max(end, at.end())
			if at.offset < 0 || at.offset%16 != 0 || at.buffer.pinned {
				t.Errorf("seed %d: a buffer at %d, pinned %v", seed, at.offset, at.buffer.pinned)
			}
		}
		if int64(4*end) != p.ArenaBytes || p.ArenaBytes > p.BufferBytes {
			t.Errorf("seed %d: the arena has %d bytes, the last buffer ends at %d, all together have %d", seed, p.ArenaBytes, 4*end, p.BufferBytes)
		}
		arena, sum = arena+p.ArenaBytes, sum+p.BufferBytes
	}
	if arena*10 > sum*9 {
		t.Errorf("arenas take %d bytes of %d: hardly anything is shared", arena, sum)
	}
	t.Run("planted", func(t *testing.T) {
		_, p := planned(t, newForest(t, 1).g, nil)
		for i := range p.places {
			p.places[i].offset = max(0, p.places[i].offset-16)
		}
		if overlaps(p) == 0 {
			t.Error("buffers moved by a cache line overlap nowhere")
		}
	})
}

// TestChain: of a chain only two links are alive at once.
func TestChain(t *testing.T) {
	g := G.NewGraph()
	x := vector(g, "x", make([]float32, 64))
	for range 10 {
		x = double(x)
	}
	p, err := NewPlan(g)
	if err != nil {
		t.Fatal(err)
	}
	if p.BufferBytes != 10*256 || p.ArenaBytes != 2*256 || p.Nodes != 11 {
		t.Errorf("plan %+v", p)
	}
}

// TestPinned: the caller's memory holds its result after the run, and is not part of the
// arena.
func TestPinned(t *testing.T) {
	c := newCubic(t, []float32{1, 2}, []float32{3, 4})
	runMachine(t, c.machine)
	if !slices.Equal(c.dw, []float32{8, 64}) {
		t.Errorf("pinned gradient %v", c.dw)
	}
	for _, at := range c.plan.places {
		if &at.buffer.Data[0] == &c.dw[0] {
			t.Error("the arena has a place for pinned memory")
		}
	}
}

// TestHashCollision: the two names give their nodes one hash under Gorgonia's
// 32 bits of FNV-1a; a compiled graph would have one register for both.
func TestHashCollision(t *testing.T) {
	g := G.NewGraph()
	a := G.NewVector(g, tensor.Float32, G.WithShape(1), G.WithName(collides[0]))
	b := G.NewVector(g, tensor.Float32, G.WithShape(1), G.WithName(collides[1]))
	if a.Hashcode() != b.Hashcode() {
		t.Fatalf("the names %q no longer collide: look for others", collides)
	}
	if _, err := NewPlan(g); err == nil || !strings.Contains(err.Error(), "have the same hash") {
		t.Errorf("error %v", err)
	}
}

var collides = [2]string{"w855141623175", "w750801688812"}

// TestResultsLast: values that no node reads can be read after the run.
func TestResultsLast(t *testing.T) {
	g := G.NewGraph()
	early := double(vector(g, "x", ramp(16, 1, 2)))
	late := vector(g, "y", ramp(16, 5, 6))
	for range 4 {
		late = double(late)
	}
	m, p := planned(t, g, nil)
	runMachine(t, m)
	if got := Floats(early.Value())[0]; got != 2 {
		t.Errorf("a result of the run is %v after it, want 2", got)
	}
	if got := Floats(late.Value())[0]; got != 80 || p.ArenaBytes != 3*64 {
		t.Errorf("the other result is %v, want 80, in an arena of %d bytes", got, p.ArenaBytes)
	}
}

// TestReadBeforeWritten: a node that reads a buffer must run after the one that
// writes it, which the edges of the graph do not say.
func TestReadBeforeWritten(t *testing.T) {
	g := G.NewGraph()
	x := vector(g, "x", []float32{1})
	kept := NewBuffer(1)
	early := &Op{Name: "reader", Out: NewBuffer(1), Reads: []*Buffer{kept}, Forward: func([]G.Value) {}}
	early.Apply(x)
	late := &Op{Name: "writer", Out: NewBuffer(1), Extra: []*Buffer{kept}, Forward: func([]G.Value) {}}
	late.Apply(x)
	if _, err := NewPlan(g); err == nil || !strings.Contains(err.Error(), "node reader#") {
		t.Errorf("error %v", err)
	}
}

// TestReplan: planning a graph again gives the same plan.
func TestReplan(t *testing.T) {
	f := newForest(t, 3)
	a, err := NewPlan(f.g)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewPlan(f.g)
	if err != nil || a.ArenaBytes != b.ArenaBytes || a.BufferBytes != b.BufferBytes {
		t.Errorf("plans %+v and %+v, error %v", a, b, err)
	}
}
