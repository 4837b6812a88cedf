package model

import (
	"slices"

	"github.com/herd-lm/herd/core/kernel"
)

// packed is the weights as a Decoder wants them: every matrix packed for its
// products, and beside a tied head the plain rows of the embedding.
type packed struct {
	embed  []float32 // [VocabSize, HiddenSize]
	layers []packedLayer
	norm   []float32       // [HiddenSize]
	head   *kernel.Weights // [VocabSize, HiddenSize]; nil in a reward model
}

type packedLayer struct {
	attnNorm, mlpNorm    []float32 // [HiddenSize]
	qkvBias              []float32 // [(Heads+2*KVHeads)*HeadDim] or nil
	qkv, o, gateUp, down *kernel.Weights
}

// pack copies the parameters; none of p's memory is kept.
func pack(p *Params) *packed {
	matrix := func(t *Param) *kernel.Weights { return p.Precision.Pack(t.W, t.Shape[0], t.Shape[1]) }
	w := &packed{embed: slices.Clone(p.Embed.W), norm: slices.Clone(p.Norm.W)}
	for _, l := range p.Layers {
		layer := packedLayer{
			attnNorm: slices.Clone(l.AttnNorm.W), mlpNorm: slices.Clone(l.MLPNorm.W),
			qkv: matrix(l.QKV), o: matrix(l.O), gateUp: matrix(l.GateUp), down: matrix(l.Down),
		}
		if l.QKVBias != nil {
			layer.qkvBias = slices.Clone(l.QKVBias.W)
		}
		w.layers = append(w.layers, layer)
	}
	if p.Head != nil {
		w.head = matrix(p.Head)
	}
	return w
}

// DecodingBytes returns about what the weights in a Decoder take: all matrices
// packed for products of the precision (see kernel.Weights), and the embedding as
// float32, but in int8 as int8.
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
