package graph

import (
	"slices"
	"testing"
	"time"

	G "gorgonia.org/gorgonia"
)

// slow is an Op over x that takes a time and reads kept besides; it claims flops
// and bytes.
func slow(x *G.Node, kept *Buffer, takes time.Duration) *G.Node {
	o := &Op{Name: "slow", Out: NewBuffer(x.Shape()[0]), Reads: []*Buffer{kept}}
	o.Flops = func() float64 { return 100 }
	o.Forward = func([]G.Value) { time.Sleep(takes) }
	return o.Apply(x)
}

// cost returns what the Ops of a name have cost, by a machine that has run.
func cost(t *testing.T, m *Machine, name string) Cost {
	t.Helper()
	costs := m.Costs()
	i := slices.IndexFunc(costs, func(c Cost) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no %s among %+v", name, costs)
	}
	return costs[i]
}

// TestCosts runs a graph of [8] vectors in which square keeps [8, 2] and slow
// reads it: half of the rows are in use.
func TestCosts(t *testing.T) {
	g := G.NewGraph()
	x := vector(g, "x", ramp(8, 1, 2))
	squared := square(double(x))
	kept := Of(squared).Extra[0]
	kept.Rows = func() int { return 4 }
	slow(squared, kept, 5*time.Millisecond)
	m, _ := planned(t, g, nil)

	runMachine(t, m)
	if costs := m.Costs(); len(costs) != 0 {
		t.Errorf("without Profile: %+v", costs)
	}
	m.Profile()
	began := time.Now()
	for range 3 {
		runMachine(t, m)
	}
	wall := time.Since(began)

	for _, want := range []Cost{
		{Name: "double", Bytes: 3 * 4 * (8 + 8)},
		{Name: "square", Bytes: 3 * 4 * (8 + 8 + 4*2)},
		{Name: "slow", Flops: 300, Bytes: 3 * 4 * (8 + 8 + 4*2)},
	} {
		got := cost(t, m, want.Name)
		if got.Flops != want.Flops || got.Bytes != want.Bytes {
			t.Errorf("%+v, want %v operations, %v bytes", got, want.Flops, want.Bytes)
		}
	}
	var sum time.Duration
	for _, c := range m.Costs() {
		sum += c.Time
	}
	if took := cost(t, m, "slow").Time; took < 15*time.Millisecond || took > sum || sum > wall {
		t.Errorf("what sleeps 3 times 5 ms took %v, all together %v in %v", took, sum, wall)
	}
}

// TestViewsCostNothing: a view is no operation, and a node without Out has the
// results that views stand for.
func TestViewsCostNothing(t *testing.T) {
	g := G.NewGraph()
	x, w := vector(g, "x", ramp(8, 1, 2)), vector(g, "w", ramp(8, 2, 1))
	loss := G.Must(G.Sum(product(x, w, Pin(make([]float32, 8), 8))))
	if _, err := G.Grad(loss, x, w); err != nil {
		t.Fatal(err)
	}
	m, _ := planned(t, g, nil)
	m.Profile()
	runMachine(t, m)
	if costs := m.Costs(); len(costs) != 2 {
		t.Errorf("%+v, want product and its gradient", costs)
	}
	// x, w, the gradient of the product, dx and dw.
	if got := cost(t, m, "product.grad").Bytes; got != 4*5*8 {
		t.Errorf("the gradient of a product moves %v bytes", got)
	}
}
