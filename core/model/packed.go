package model

import (
	"fmt"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// Packed holds a model's weights as a Decoder needs them: every matrix is packed for its
// products. Decoders only read it, so that any number of them may share it.
type Packed struct {
	Config    Config
	Precision kernel.Precision

	rows   []float32       // embedding [VocabSize, HiddenSize]; nil if embed has it
	embed  *kernel.Weights // embedding in int8, or nil; the head itself if tied
	layers []packedLayer
	norm   []float32       // [HiddenSize]
	head   *kernel.Weights // [VocabSize, HiddenSize]; nil in a reward model
}

type packedLayer struct {
	attnNorm, mlpNorm    []float32 // [HiddenSize]
	qkvBias              []float32 // [(Heads+2*KVHeads)*HeadDim] or nil
	qkv, o, gateUp, down *kernel.Weights
}

// Pack packs p for decoding in p's precision. It keeps no reference to p, so that you can drop
// p to free its memory.
func Pack(p *Params) (*Packed, error) {
	return pack(p, p.Precision, func(w *Param, from, n int) ([]float32, error) { return w.W[from : from+n], nil })
}

// Pack reads the model directly into its packed form, so that its weights are never in memory
// as float32s too. A model with an adapter is the exception: it is read first, and the
// adapter merged into it.
func (s Source) Pack(precision kernel.Precision) (*Packed, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	if s.Adapter == "" {
		return s.packBase(c, precision)
	}
	p, err := s.LoadAs(c, false)
	if err != nil {
		return nil, err
	}
	p.Precision = precision
	return Pack(p)
}

func (s Source) packBase(c Config, precision kernel.Precision) (*Packed, error) {
	f, err := openWeights(s.Model, c)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &Params{Config: c}
	p.declare()
	return pack(p, precision, (&windowReader{params: p, f: f}).read)
}

// windowReader reads parts of windows, which may span tensors, from a checkpoint.
type windowReader struct {
	params *Params
	f      *checkpoint.Model
	part   []float32 // the part that was read last
}

func (r *windowReader) read(w *Param, from, n int) ([]float32, error) {
	if cap(r.part) < n {
		r.part = make([]float32, n)
	}
	part := r.part[:n]
	from += w.offset
	for _, t := range r.params.within(w) {
		if lo, hi := max(from, t.offset), min(from+n, t.offset+t.size()); lo < hi {
			if err := r.f.ReadPart(t.Name, lo-t.offset, part[lo-from:hi-from]); err != nil {
				return nil, err
			}
		}
	}
	return part, nil
}

// packer packs windows of parameters.
type packer struct {
	precision kernel.Precision
	part      func(w *Param, from, n int) ([]float32, error) // n elements of a window, valid until the next call
	err       error                                          // the first error
}

// pack packs the windows of p, which it reads with part.
func pack(p *Params, precision kernel.Precision, part func(w *Param, from, n int) ([]float32, error)) (*Packed, error) {
	c := p.Config
	if err := memory.Check("the packed weights", c.DecodingBytes(precision)+c.rotaryBytes()); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	k := &packer{precision: precision, part: part}
	w := &Packed{Config: c, Precision: precision, norm: k.floats(p.Norm)}
	for _, l := range p.Layers {
		w.layers = append(w.layers, packedLayer{
			attnNorm: k.floats(l.AttnNorm), mlpNorm: k.floats(l.MLPNorm), qkvBias: k.floats(l.QKVBias),
			qkv: k.matrix(l.QKV), o: k.matrix(l.O), gateUp: k.matrix(l.GateUp), down: k.matrix(l.Down),
		})
	}
	if p.Head != nil {
		w.head = k.matrix(p.Head)
	}
	switch {
	case precision != kernel.INT8:
		w.rows = k.floats(p.Embed)
	case p.Head == p.Embed:
		w.embed = w.head
	default:
		w.embed = k.matrix(p.Embed)
	}
	if k.err != nil {
		return nil, fmt.Errorf("model: %w", k.err)
	}
	return w, nil
}

// packElements is about how many elements are read at a time.
const packElements = 1 << 22

// floats returns a copy of a window, or nil if there is none.
func (k *packer) floats(w *Param) []float32 {
	if w == nil {
		return nil
	}
	x := make([]float32, w.size())
	k.each(w, func(from int, part []float32) { copy(x[from:], part) })
	return x
}

// matrix packs a window [out,in].
func (k *packer) matrix(w *Param) *kernel.Weights {
	out, in := w.Shape[0], w.Shape[1]
	packed := k.precision.NewWeights(out, in)
	k.each(w, func(from int, part []float32) { packed.Set(from/in, part) })
	return packed
}

// each calls f for all of a window, some lines at a time: a multiple of kernel.PanelLines.
func (k *packer) each(w *Param, f func(from int, part []float32)) {
	width := kernel.PanelLines * w.size() / w.Shape[0]
	step := max(1, packElements/width) * width
	for from := 0; from < w.size() && k.err == nil; from += step {
		part, err := k.part(w, from, min(step, w.size()-from))
		if err != nil {
			k.err = err
			return
		}
		f(from, part)
	}
}

// embedding sets x[len(ids), HiddenSize] to the rows of the embedding.
func (w *Packed) embedding(x []float32, ids []token.ID) {
	if w.embed != nil {
		w.embed.Embed(x, ids)
	} else {
		kernel.Embed(x, w.rows, ids, w.Config.HiddenSize)
	}
}

// DecodingBytes returns about how much memory the weights in a Decoder take: all matrices
// packed for products of the precision (see kernel.Weights), and the embedding as float32, or
// as int8 if the precision is INT8.
func (c Config) DecodingBytes(precision kernel.Precision) int64 {
	p := &Params{Config: c}
	p.declare()
	bytes := 4 * int64(p.Count())
	for _, w := range p.matrices() {
		switch packed := precision.PackedBytes(w.Shape[0], w.Shape[1]); {
		case w != p.Embed || precision == kernel.INT8:
			bytes += packed - 4*int64(w.size())
		case p.Head == p.Embed:
			bytes += packed
		}
	}
	return bytes
}
