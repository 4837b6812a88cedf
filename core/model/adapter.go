package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/kernel"
)

// Adapter holds the trainable weights beside a frozen model, in arrays of its own.
type Adapter struct {
	Arrays
	LoRA LoRA
	Base string // directory of the frozen weights, as the user gave it

	// Score is the value head of a reward model, all of which is trained, or nil.
	Score *Param

	config  Config // of the base
	digest  string // of the base: Params.Digest
	beside  map[*Param]*lowRank
	windows []*Param
}

// lowRank holds the low-rank terms of an adapter beside one matrix of the model. Each
// projection in a fused matrix has a term of its own. The terms' A lie one after another, and
// so do their B and M.
type lowRank struct {
	kernel.LowRank
	A, B *Param // [terms*r, in], [rows, r]
	M    *Param // [rows] lengths of the rows; nil without DoRA
	// squares are the squared norms of the matrix's rows, [out]; nil without DoRA.
	squares []float64
	window  uint64 // index of the matrix: each has a dropout of its own
}

// learnsNorms reports whether the lengths of the rows are learnt: DoRA.
func (l *lowRank) learnsNorms() bool { return l != nil && l.M != nil }

// Adapt freezes the weights of p and puts a new adapter of shape l beside it, all zero until
// Init.
func (p *Params) Adapt(l LoRA, gradients bool) *Adapter {
	a := newAdapter(p, l)
	a.digest = p.Digest()
	a.allocate(gradients, append(a.windows, a.Tensors...))
	if l.DoRA {
		a.weigh()
	}
	p.Adapter = a
	p.thaw(nil)
	return a
}

// newAdapter lists the tensors of an adapter of shape l beside p. p need not have memory.
func newAdapter(p *Params, l LoRA) *Adapter {
	a := &Adapter{LoRA: l, config: p.Config, beside: make(map[*Param]*lowRank)}
	for _, layer := range p.Layers {
		for _, w := range []*Param{layer.QKV, layer.O, layer.GateUp, layer.Down} {
			a.declare(w, p.within(w))
		}
	}
	if p.Score != nil {
		a.Score = a.tensor(peftName(p.Score.Name), p.Score.Shape...)
	}
	return a
}

// AdapterCount returns the number of parameters of an adapter of shape l beside a
// model of c.
func (c Config) AdapterCount(l LoRA) int {
	p := &Params{Config: c}
	p.declare()
	return newAdapter(p, l).Count()
}

// thaw sets the gradients of p to g, or freezes p if g is nil.
func (p *Params) thaw(g []float32) {
	p.G = g
	for _, t := range p.all() {
		if t.G = nil; g != nil {
			t.bind(&p.Arrays)
		}
	}
}

// within returns the tensors that lie in the window w.
func (p *Params) within(w *Param) (parts []*Param) {
	for _, t := range p.Tensors {
		if t.offset >= w.offset && t.offset < w.offset+w.size() {
			parts = append(parts, t)
		}
	}
	return parts
}

// declare adds the tensors beside the matrix w: a term for each of its projections that the
// shape adapts.
func (a *Adapter) declare(w *Param, parts []*Param) {
	r, in := a.LoRA.R, w.Shape[1]
	low := &lowRank{window: uint64(len(a.beside)), LowRank: kernel.LowRank{In: in, Out: w.Shape[0], Rank: r, Scale: float32(a.LoRA.scale())}}
	var modules []string
	for _, t := range parts {
		module := strings.TrimSuffix(t.Name, ".weight")
		if slices.Contains(a.LoRA.TargetModules, module[strings.LastIndexByte(module, '.')+1:]) {
			from := (t.offset - w.offset) / in
			low.Terms = append(low.Terms, kernel.Columns{From: from, To: from + t.Shape[0]})
			modules = append(modules, peftName(module))
		}
	}
	if len(modules) == 0 {
		return
	}
	// one declares a tensor for each module, and the window over them.
	one := func(suffix string, shape func(c kernel.Columns) []int) *Param {
		var list []*Param
		for i, m := range modules {
			list = append(list, a.tensor(m+suffix, shape(low.Terms[i])...))
		}
		window := fused(w.Name+suffix, list...)
		a.windows = append(a.windows, window)
		return window
	}
	low.A = one(".lora_A.weight", func(kernel.Columns) []int { return []int{r, in} })
	low.B = one(".lora_B.weight", func(c kernel.Columns) []int { return []int{c.To - c.From, r} })
	if a.LoRA.DoRA {
		low.M = one(".lora_magnitude_vector", func(c kernel.Columns) []int { return []int{c.To - c.From} })
	}
	a.beside[w] = low
}

// weigh computes the norms of the rows of the base, which does not change.
func (a *Adapter) weigh() {
	for w, low := range a.beside {
		low.squares = make([]float64, low.Out)
		kernel.RowSquares(low.squares, w.wide(), low.In)
	}
}

// besides returns the terms beside the matrix w, or nil.
func (a *Adapter) besides(w *Param) *lowRank {
	if a == nil {
		return nil
	}
	return a.beside[w]
}

// Init draws the weights from the seed as PEFT does, so that the adapter does not change the
// model yet: A uniform over ±1/sqrt(in), B zero, magnitudes the norms of the rows, the value
// head a copy of the base's.
func (a *Adapter) Init(p *Params, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x6c6f72616c6f7261))
	for _, w := range a.order(p) {
		low := a.beside[w]
		bound := 1 / math.Sqrt(float64(low.In))
		fill(low.A.W, func() float32 { return float32((2*rng.Float64() - 1) * bound) })
		clear(low.B.W)
		if low.M != nil {
			low.Norms(low.M.W, low.squares, w.wide(), low.A.W, low.B.W)
		}
	}
	if a.Score != nil {
		copy(a.Score.W, p.Score.W)
	}
}

// order returns the adapted matrices in the order in which the model has them.
func (a *Adapter) order(p *Params) (list []*Param) {
	for _, w := range p.all() {
		if a.beside[w] != nil {
			list = append(list, w)
		}
	}
	return list
}

// Off returns the frozen model without the adapter, over the same memory.
func (p *Params) Off() *Params {
	base := *p
	base.Adapter = nil
	return &base
}

// Merge adds the adapter to the weights: w + scale·B·A, with rows of lengths M if these are
// learnt. The result is an ordinary model.
func (p *Params) Merge() {
	a := p.Adapter
	for w, low := range a.beside {
		low.merge(w.W)
	}
	if a.Score != nil {
		copy(p.Score.W, a.Score.W)
	}
	p.Adapter = nil
}

// merge adds the terms to w [Out, In].
func (l *lowRank) merge(w []float32) {
	norms := make([]float32, l.Rows())
	if l.M != nil {
		l.Norms(norms, l.squares, w, l.A.W, l.B.W)
	}
	gain := make([]float32, l.Out)
	b, row := l.B.W, 0
	scaled := make([]float32, len(b))
	for i, v := range b {
		scaled[i] = v * l.Scale
	}
	for i, c := range l.Terms {
		n := c.To - c.From
		kernel.FP32.LinearInputGrad(w[c.From*l.In:], scaled[row*l.Rank:], l.A.W[i*l.Rank*l.In:], n, l.In, l.Rank, true)
		row += n
	}
	if l.M == nil {
		return
	}
	l.Gains(gain, l.M.W, norms)
	for i, g := range gain {
		for k := range l.In {
			w[i*l.In+k] *= g
		}
	}
}

// peftName returns PEFT's name of a tensor or module of the model.
func peftName(name string) string { return "base_model.model." + name }
