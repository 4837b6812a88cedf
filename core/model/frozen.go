package model

import (
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// matrices returns the windows that are factors of products: everything large.
func (p *Params) matrices() []*Param {
	list := []*Param{p.Embed}
	for _, l := range p.Layers {
		list = append(list, l.QKV, l.O, l.GateUp, l.Down)
	}
	if p.Head != nil && p.Head != p.Embed {
		list = append(list, p.Head)
	}
	return list
}

// loadFrozen reads the model for reading only, with its matrices stored as s. It reads one
// tensor at a time, so that at most one is in memory as float32.
func (s Source) loadFrozen(c Config, storage kernel.Storage) (*Params, error) {
	if storage == kernel.StoreFP32 {
		return s.loadBase(c, false)
	}
	f, err := openWeights(s.Model, c)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &Params{Config: c}
	p.declare()
	frozen, wide := p.layOutFrozen(storage)
	return p, p.read(f, func(f checkpoint.Reader, t *Param) error {
		w := frozen[t]
		if w == nil {
			return read(f, t)
		}
		if err := readAs(f, t.Name, t, wide[:t.size()]); err != nil {
			return err
		}
		t.print = kernel.Fingerprint(wide[:t.size()])
		w.frozen.Set((t.offset-w.offset)/t.Shape[1], wide[:t.size()])
		return nil
	})
}

// layOutFrozen allocates memory for the weights. For each tensor it returns the matrix that
// the tensor is part of, or nil if it stays float32. It also returns scratch memory for the
// largest tensor.
func (p *Params) layOutFrozen(storage kernel.Storage) (of map[*Param]*Param, wide []float32) {
	of = make(map[*Param]*Param)
	largest := 0
	for _, w := range p.matrices() {
		w.frozen = kernel.NewFrozen(storage, w.Shape[0], w.Shape[1])
		for _, t := range p.within(w) {
			of[t] = w
			largest = max(largest, t.size())
		}
	}
	for _, w := range p.all() {
		if of[w] != nil || w.frozen != nil {
			continue
		}
		w.W = make([]float32, w.size())
		for _, t := range p.within(w) { // a window over several tensors shares its memory with them
			t.W = w.W[t.offset-w.offset:][:t.size()]
		}
	}
	return of, memory.Floats(largest)
}

// frozenBytes returns the memory that the weights of c take with matrices stored as s.
func (c Config) frozenBytes(s kernel.Storage) (n int64) {
	p := &Params{Config: c}
	p.declare()
	n = 4 * int64(p.Count())
	for _, w := range p.matrices() {
		n += s.Bytes(w.Shape[0], w.Shape[1]) - 4*int64(w.size())
	}
	return n
}

// wide returns the weights of t as float32s: W itself, or a copy.
func (t *Param) wide() []float32 {
	if t.frozen == nil {
		return t.W
	}
	w := make([]float32, t.size())
	t.frozen.Floats(w, 0, t.Shape[0])
	return w
}
