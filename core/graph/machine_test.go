package graph

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// cubic is sum(2x·w · (2x)²) = sum(8wx³): 2x is read by two nodes, whose
// gradients Gorgonia adds.
type cubic struct {
	x, w, dw []float32
	loss, dx *G.Node
	machine  *Machine
	plan     *Plan
}

func newCubic(t testing.TB, x, w []float32) *cubic {
	t.Helper()
	c := &cubic{x: x, w: w, dw: make([]float32, len(w))}
	g := G.NewGraph()
	xs, ws := vector(g, "x", x), vector(g, "w", w)
	h := double(xs)
	y := G.Must(G.HadamardProd(product(h, ws, Pin(c.dw, len(w))), square(h)))
	c.loss = G.Must(G.Sum(y))
	grads, err := G.Grad(c.loss, xs, ws)
	if err != nil {
		t.Fatal(err)
	}
	c.dx = grads[0]
	c.machine, c.plan = planned(t, g, nil)
	return c
}

func ramp(n int, from, to float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = from + (to-from)*float32(i)/float32(max(1, n-1))
	}
	return x
}

func TestGradient(t *testing.T) {
	c := newCubic(t, ramp(8, -1, 1.2), ramp(8, 0.5, -1))
	runMachine(t, c.machine)
	dx, dw := slices.Clone(Floats(c.dx.Value())), slices.Clone(c.dw)

	t.Run("closed form", func(t *testing.T) {
		for i := range c.x {
			x, w := float64(c.x[i]), float64(c.w[i])
			if got, want := float64(dx[i]), 24*w*x*x; math.Abs(got-want) > 1e-5*math.Max(1, math.Abs(want)) {
				t.Errorf("dx[%d] is %v, want %v", i, got, want)
			}
			if got, want := float64(dw[i]), 8*x*x*x; math.Abs(got-want) > 1e-5*math.Max(1, math.Abs(want)) {
				t.Errorf("dw[%d] is %v, want %v", i, got, want)
			}
		}
	})

	// slope is the central difference of the loss in v[i].
	slope := func(v []float32, i int) float64 {
		const step = 1.0 / 128
		at := v[i]
		defer func() { v[i] = at }()
		v[i] = at + step
		runMachine(t, c.machine)
		above := scalar(c.loss)
		v[i] = at - step
		runMachine(t, c.machine)
		return (above - scalar(c.loss)) / (2 * step)
	}
	disagree := func(v, gradient []float32) (n int) {
		for i := range v {
			if want := slope(v, i); math.Abs(float64(gradient[i])-want) > 5e-3*math.Max(1, math.Abs(want)) {
				n++
			}
		}
		return n
	}
	t.Run("finite differences", func(t *testing.T) {
		if n := disagree(c.x, dx) + disagree(c.w, dw); n > 0 {
			t.Errorf("%d derivatives disagree with finite differences", n)
		}
	})
	t.Run("planted", func(t *testing.T) {
		dx[7] *= 1.02
		if disagree(c.x, dx) != 1 {
			t.Error("a derivative that is wrong by 2% passes")
		}
	})
}

// TestForwardOnly: without a gradient, no node reads the buffer that square keeps.
func TestForwardOnly(t *testing.T) {
	g := G.NewGraph()
	x := vector(g, "x", []float32{1, 2, 3})
	loss := G.Must(G.Sum(square(double(x))))
	m, _ := planned(t, g, nil)
	for range 2 {
		runMachine(t, m)
		if got := scalar(loss); got != 4+16+36 {
			t.Errorf("sum of squares %v", got)
		}
	}
}

// TestKeptBeforeRead: the gradient of a sum does not depend on what is summed, so
// that nothing but the plan's order runs square before square.grad.
func TestKeptBeforeRead(t *testing.T) {
	g := G.NewGraph()
	x := vector(g, "x", []float32{1, 2, 3})
	loss := G.Must(G.Sum(square(x)))
	grads, err := G.Grad(loss, x)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := planned(t, g, nil)
	runMachine(t, m)
	if got := Floats(grads[0].Value()); !slices.Equal(got, []float32{2, 4, 6}) {
		t.Errorf("gradient %v", got)
	}
}

// TestScalar: a node without Out has the value that its Op sets, anew in every run.
func TestScalar(t *testing.T) {
	g := G.NewGraph()
	x := []float32{1, 2, 3}
	o := &Op{Name: "total"}
	o.Forward = func(in []G.Value) {
		v := Floats(in[0])
		o.SetScalar(v[0] + v[1] + v[2])
	}
	total := o.Apply(vector(g, "x", x))
	twice := G.Must(G.Add(total, total))
	m, _ := planned(t, g, nil)
	for _, want := range []float64{12, 30} {
		runMachine(t, m)
		if got := scalar(twice); got != want {
			t.Errorf("twice the sum is %v, want %v", got, want)
		}
		x[0] = 10
	}
}

func TestNotDifferentiable(t *testing.T) {
	g := G.NewGraph()
	x := vector(g, "x", []float32{1})
	o := &Op{Name: "step", Out: NewBuffer(1), Wrt: []bool{true}, Forward: func([]G.Value) {}}
	loss := G.Must(G.Sum(o.Apply(x)))
	if _, err := G.Grad(loss, x); err == nil || !strings.Contains(err.Error(), "node step#") {
		t.Errorf("error %v", err)
	}
}

// TestPanic: a kernel that panics fails the run, not the process, and the next
// run works again.
func TestPanic(t *testing.T) {
	g := G.NewGraph()
	x := vector(g, "x", []float32{1, 2})
	fail := true
	o := &Op{Name: "fragile", Out: NewBuffer(2)}
	o.Forward = func(in []G.Value) {
		if fail {
			panic("out of cheese")
		}
		copy(o.Out.Data, Floats(in[0]))
	}
	loss := G.Must(G.Sum(double(o.Apply(x))))
	m, _ := planned(t, g, nil)
	err := m.Run()
	if err == nil || !strings.Contains(err.Error(), "node fragile#") || !strings.Contains(err.Error(), "out of cheese") {
		t.Errorf("error %v", err)
	}
	fail = false
	runMachine(t, m)
	if got := scalar(loss); got != 6 {
		t.Errorf("after a failed run the sum is %v", got)
	}
}

func TestClock(t *testing.T) {
	ranks := func() (*Machine, *Op, *Op) {
		g := G.NewGraph()
		first := double(vector(g, "x", []float32{1}))
		second := square(first)
		m, _ := planned(t, g, nil)
		return m, Of(first), Of(second)
	}
	m, first, second := ranks()
	if first.rank >= second.rank {
		t.Errorf("ranks %d and %d of a node and the one that reads it", first.rank, second.rank)
	}
	runMachine(t, m)

	// Planted: a plan that has the two nodes the other way round.
	m, first, second = ranks()
	first.rank, second.rank = second.rank, first.rank
	if err := m.Run(); err == nil || !strings.Contains(err.Error(), "node square#") || !strings.Contains(err.Error(), "ran after rank") {
		t.Errorf("error %v", err)
	}
}

func TestNoMachine(t *testing.T) {
	g := G.NewGraph()
	x := double(vector(g, "x", []float32{1}))
	if _, err := Of(x).Do(); err == nil || !strings.Contains(err.Error(), "is not part of a machine") {
		t.Errorf("error %v", err)
	}
}

// TestConcurrent runs two machines over the same inputs at once; the race
// detector must see nothing.
func TestConcurrent(t *testing.T) {
	x, w := ramp(512, -1, 1), ramp(512, 2, 1)
	machines := []*cubic{newCubic(t, x, w), newCubic(t, x, w)}
	var wait sync.WaitGroup
	errs := make([]error, len(machines))
	for i, c := range machines {
		wait.Go(func() {
			for range 20 {
				if err := c.machine.Run(); err != nil {
					errs[i] = err
				}
			}
		})
	}
	wait.Wait()
	a, b := machines[0], machines[1]
	if errs[0] != nil || errs[1] != nil {
		t.Fatal(errs)
	}
	if scalar(a.loss) != scalar(b.loss) || !slices.Equal(Floats(a.dx.Value()), Floats(b.dx.Value())) || !slices.Equal(a.dw, b.dw) {
		t.Error("two machines over the same inputs give different results")
	}
}

// TestAllocation: a run allocates what Gorgonia's machine needs for its
// instructions, whatever the size of the buffers.
func TestAllocation(t *testing.T) {
	perRun := func(n int) uint64 {
		g := G.NewGraph()
		x := vector(g, "x", make([]float32, n))
		square(double(square(double(x))))
		m, _ := planned(t, g, nil)
		runMachine(t, m)
		const runs = 50
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			runMachine(t, m)
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / runs
	}
	small, large := perRun(16), perRun(1<<18)
	if large > 8<<10 || large > small+4<<10 {
		t.Errorf("a run allocates %d bytes with vectors of 1 MB, %d with small ones", large, small)
	}
}

// TestMachineIsFreed: a program that is no longer used frees its memory.
// Gorgonia's machines have finalizers, and a cycle through one is never freed.
func TestMachineIsFreed(t *testing.T) {
	freed := make(chan bool, 1)
	func() {
		g := G.NewGraph()
		x := G.NewVector(g, tensor.Float32, G.WithShape(4), G.WithName("x"), G.WithValue(tensor.New(tensor.WithBacking(make([]float32, 4)))))
		o := &Op{Name: "copy", Out: NewBuffer(4)}
		o.Forward = func(in []G.Value) { copy(o.Out.Data, Floats(in[0])) }
		o.Apply(x)
		p, err := NewPlan(g)
		if err != nil {
			t.Fatal(err)
		}
		p.Allocate()
		m := NewMachine(g)
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		runtime.AddCleanup(o, func(int) { freed <- true }, 0)
		m.Close()
	}()
	for range 20 {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Error("the operations of a closed machine are still held")
}

// TestNothingTrainedBefore: an Op is not differentiable by a child that is not
// differentiable itself, so that no unused gradient is computed.
func TestNothingTrainedBefore(t *testing.T) {
	g := G.NewGraph()
	x, w := vector(g, "x", []float32{1, 2}), vector(g, "w", []float32{3, 4})
	fixed := double(x)
	Of(fixed).Wrt[0] = false
	for name, c := range map[string]struct {
		child *G.Node
		want  []bool
	}{
		"a constant":           {fixed, []bool{false, true}},
		"an input":             {x, []bool{true, true}},
		"what can be derived":  {double(x), []bool{true, true}},
		"a product with fixed": {product(fixed, w, nil), []bool{true, true}},
	} {
		if got := Of(product(c.child, w, nil)).Wrt; !slices.Equal(got, c.want) {
			t.Errorf("%s: differentiable by %v, want %v", name, got, c.want)
		}
	}
}
