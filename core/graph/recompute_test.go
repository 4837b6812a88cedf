package graph

import (
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
)

// tower is x -> x³/4 again and again. What its gradient needs of each segment is a
// child of it (product), kept beside the graph (square), or one of two results of
// one node (halves).
type tower struct {
	g        *G.ExprGraph
	loss, dx *G.Node
	token    *G.Node // the first of the last segment
	runs     []int   // how often the first node of each segment ran
	spoil    float32 // is added to its second result in its second run
}

const (
	towerWidth = 64
	vectorSize = 4 * towerWidth // bytes
)

func newTower(t testing.TB, segments int, recompute bool) *tower {
	t.Helper()
	f := &tower{g: G.NewGraph(), runs: make([]int, segments)}
	xs := vector(f.g, "x", ramp(towerWidth, 0.9, 1.1))
	x := double(xs)
	for i := range segments {
		first, second := f.halves(x, &f.runs[i])
		y := double(product(square(first), second, nil))
		if recompute {
			Recompute(x, y)
		}
		x = y
	}
	f.loss = G.Must(G.Sum(x))
	grads, err := G.Grad(f.loss, xs)
	if err != nil {
		t.Fatal(err)
	}
	f.dx = grads[0]
	return f
}

// halves is x/2 twice, as two results of one node.
func (f *tower) halves(x *G.Node, runs *int) (first, second *G.Node) {
	a, b := NewBuffer(towerWidth), NewBuffer(towerWidth)
	o := &Op{Name: "halves", Extra: []*Buffer{a, b}, Wrt: []bool{true}}
	o.Forward = func(in []G.Value) {
		for i, v := range Floats(in[0]) {
			a.Data[i], b.Data[i] = v/2, v/2
		}
		if *runs++; *runs > 1 {
			b.Data[3] += f.spoil
		}
	}
	o.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) { return G.Nodes{half(dy)}, nil }
	f.token = o.Apply(x)
	return through(View(f.token, a)), through(View(f.token, b))
}

// through makes a view differentiable: its gradient is its child's.
func through(view *G.Node) *G.Node {
	o := Of(view)
	o.Wrt = []bool{true}
	o.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) { return G.Nodes{dy}, nil }
	return view
}

func half(x *G.Node) *G.Node {
	o := &Op{Name: "half", Out: NewBuffer(x.Shape()[0])}
	o.Forward = func(in []G.Value) {
		for i, v := range Floats(in[0]) {
			o.Out.Data[i] = v / 2
		}
	}
	return o.Apply(x)
}

// results runs the tower once, its plan changed if change is not nil.
func (f *tower) results(t testing.TB, change func(*Plan)) (loss float64, dx []float32, p *Plan) {
	t.Helper()
	m, p := planned(t, f.g, change)
	clear(f.runs)
	runMachine(t, m)
	return scalar(f.loss), slices.Clone(Floats(f.dx.Value())), p
}

func TestRecompute(t *testing.T) {
	loss, want, kept := newTower(t, 4, false).results(t, nil)
	f := newTower(t, 4, true)
	again, got, recomputed := f.results(t, nil)
	if again != loss || !slices.Equal(got, want) {
		t.Errorf("loss %v and gradient %v recomputed, %v and %v kept", again, got, loss, want)
	}
	for i, n := range f.runs {
		if n != 2 {
			t.Errorf("segment %d ran %d times, want twice", i, n)
		}
	}
	for _, b := range recomputed.buffers {
		if len(b.spans) > 2 {
			t.Errorf("a buffer that is computed twice at most is in use over %v", b.spans)
		}
	}
	if waits := children(Of(f.token).again); len(waits) != 2 {
		t.Errorf("a node that runs again has the children %v, want x and a gradient to run after", waits)
	}
	if recomputed.BufferBytes != kept.BufferBytes {
		t.Errorf("buffers of %d bytes, without recomputation %d: it needs none of its own", recomputed.BufferBytes, kept.BufferBytes)
	}
	_, _, more := newTower(t, 5, true).results(t, nil)
	if grown := more.ArenaBytes - recomputed.ArenaBytes; grown != vectorSize {
		t.Errorf("a segment more takes %d bytes, want the %d of its input", grown, vectorSize)
	}
}

// TestRecomputePlanted: what is computed again is what the gradients read, and
// the memory of the first time has gone to others by then.
func TestRecomputePlanted(t *testing.T) {
	loss, want, _ := newTower(t, 4, true).results(t, nil)
	f := newTower(t, 4, true)
	f.spoil = 1e-3
	if again, got, _ := f.results(t, nil); again != loss || slices.Equal(got, want) {
		t.Errorf("a wrong recomputation changes the loss by %v, and the gradient: %v", again-loss, !slices.Equal(got, want))
	}
	_, got, _ := newTower(t, 4, true).results(t, func(p *Plan) {
		for _, b := range p.buffers {
			b.spans = b.spans[:1]
		}
		p.places = nil
		p.layOut()
	})
	if slices.Equal(got, want) {
		t.Error("recomputing into memory that is in use elsewhere goes unnoticed")
	}
}

// TestRecomputeForests: recomputing here and there in a graph that is grown at
// random changes no result.
func TestRecomputeForests(t *testing.T) {
	recomputing := 0
	for seed := range uint64(forests) {
		kept := newForestWith(t, seed, func(_, _ *G.Node) {})
		again := newForest(t, seed)
		if !slices.Equal(kept.results(t, nil), again.results(t, nil)) {
			t.Errorf("seed %d: other results", seed)
		}
		if len(again.g.AllNodes()) > len(kept.g.AllNodes()) {
			recomputing++
		}
	}
	if recomputing < forests/2 {
		t.Errorf("only %d of %d graphs compute anything again", recomputing, forests)
	}
}

// TestRecomputeWithoutGradient: a graph that is only evaluated computes once.
func TestRecomputeWithoutGradient(t *testing.T) {
	g := G.NewGraph()
	x := double(vector(g, "x", []float32{1, 2}))
	before := len(g.AllNodes())
	y := square(double(x))
	Recompute(x, y)
	m, _ := planned(t, g, nil)
	runMachine(t, m)
	if got := Floats(y.Value()); !slices.Equal(got, []float32{16, 64}) || len(g.AllNodes()) != before+2 {
		t.Errorf("result %v of %d nodes", got, len(g.AllNodes()))
	}
}

// TestUnread: values that the gradient does not read are not computed again, and values
// that it may read are.
func TestUnread(t *testing.T) {
	for _, unread := range [][]bool{nil, {true, true}} {
		g, runs := G.NewGraph(), 0
		in := vector(g, "x", []float32{1, 2})
		x := double(in)
		counted := &Op{Name: "counted", Out: NewBuffer(2), Wrt: []bool{true}, Unread: unread}
		counted.Forward = func(in []G.Value) {
			runs++
			copy(counted.Out.Data, Floats(in[0]))
		}
		counted.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) { return G.Nodes{half(dy)}, nil }
		h := counted.Apply(x)
		through := &Op{Name: "through", Out: NewBuffer(2), Wrt: []bool{true}, Unread: unread}
		through.Forward = func(in []G.Value) { copy(through.Out.Data, Floats(in[0])) }
		through.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) { return G.Nodes{half(dy)}, nil }
		y := through.Apply(h)
		Recompute(x, y)
		if _, err := G.Grad(G.Must(G.Sum(double(y))), in); err != nil {
			t.Fatal(err)
		}
		m, _ := planned(t, g, nil)
		runMachine(t, m)
		if want := map[bool]int{true: 2, false: 1}[unread == nil]; runs != want {
			t.Errorf("unread %v: computed %d times, want %d", unread, runs, want)
		}
	}
}
