package graph

import (
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// vector is an input over the caller's memory.
func vector(g *G.ExprGraph, name string, data []float32) *G.Node {
	return G.NewVector(g, tensor.Float32, G.WithShape(len(data)), G.WithName(name),
		G.WithValue(tensor.New(tensor.WithShape(len(data)), tensor.WithBacking(data))))
}

// double is 2x, and so is its derivative.
func double(x *G.Node) *G.Node {
	o := &Op{Name: "double", Out: NewBuffer(x.Shape()[0]), Wrt: []bool{true}}
	o.Forward = func(in []G.Value) {
		for i, v := range Floats(in[0]) {
			o.Out.Data[i] = 2 * v
		}
	}
	o.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) { return G.Nodes{double(dy)}, nil }
	return o.Apply(x)
}

// square is x². It keeps x and 2x side by side, [n, 2], for its gradient, whose
// node has no edge to x.
func square(x *G.Node) *G.Node {
	n := x.Shape().TotalSize()
	kept := NewBuffer(n, 2)
	o := &Op{Name: "square", Out: NewBuffer(n), Extra: []*Buffer{kept}, Wrt: []bool{true}}
	o.Forward = func(in []G.Value) {
		for i, v := range Floats(in[0]) {
			kept.Data[2*i], kept.Data[2*i+1] = v, 2*v
			o.Out.Data[i] = v * v
		}
	}
	o.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		back := &Op{Name: "square.grad", Out: NewBuffer(n), Reads: []*Buffer{kept}}
		back.Forward = func(in []G.Value) {
			for i, d := range Floats(in[0]) {
				back.Out.Data[i] = kept.Data[2*i+1] * d
			}
		}
		return G.Nodes{back.Apply(dy)}, nil
	}
	return o.Apply(x)
}

// product is x*w elementwise. Its gradient is one Op with two results: dw goes
// to into, if that is not nil.
func product(x, w *G.Node, into *Buffer) *G.Node {
	o := &Op{Name: "product", Out: NewBuffer(x.Shape()[0]), Wrt: []bool{true, true}}
	multiply := func(dst, a, b []float32) {
		for i, v := range a {
			dst[i] = v * b[i]
		}
	}
	o.Forward = func(in []G.Value) { multiply(o.Out.Data, Floats(in[0]), Floats(in[1])) }
	o.Gradient = func(in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		dx, dw := NewBuffer(x.Shape()[0]), into
		if dw == nil {
			dw = NewBuffer(x.Shape()[0])
		}
		back := &Op{Name: "product.grad", Extra: []*Buffer{dx, dw}}
		back.Forward = func(in []G.Value) {
			x, w, dy := Floats(in[0]), Floats(in[1]), Floats(in[2])
			multiply(dx.Data, w, dy)
			multiply(dw.Data, x, dy)
		}
		t := back.Apply(in[0], in[1], dy)
		return G.Nodes{View(t, dx), View(t, dw)}, nil
	}
	return o.Apply(x, w)
}

// apart is a layout in which no two buffers share memory.
func apart(p *Plan) {
	end := 0
	for i := range p.places {
		p.places[i].offset = end
		end = p.places[i].end()
	}
	p.ArenaBytes = 4 * int64(end)
}

// planned returns a machine for g. change, unless nil, changes the layout first. The
// arena is filled with values that no result may depend on.
func planned(t testing.TB, g *G.ExprGraph, change func(*Plan)) (*Machine, *Plan) {
	t.Helper()
	p, err := NewPlan(g)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(p)
	}
	p.Allocate()
	for _, at := range p.places {
		for i := range at.buffer.Data {
			at.buffer.Data[i] = 1e30
		}
	}
	m := NewMachine(g)
	t.Cleanup(func() { m.Close() })
	return m, p
}

func runMachine(t testing.TB, m *Machine) {
	t.Helper()
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
}

func scalar(n *G.Node) float64 { return float64(n.Value().Data().(float32)) }
