package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
)

// Param is a trainable tensor: a window into the flat arrays of its Params.
type Param struct {
	Name   string // Hugging Face's name; a fused window has one in the same style
	Shape  []int
	W, G   []float32 // weights and gradient; G is nil unless the parameters are trained
	offset int
	// frozen holds the weights in less memory than W, which is nil then: see loadFrozen.
	frozen *kernel.Frozen
	print  uint64 // fingerprint of the weights before they were rounded for frozen
}

// Layer holds the parameters of one transformer block. The query, key and value projections
// lie one after another, and so do gate and up, so that each group is one matrix product:
// QKV [(Heads+2*KVHeads)*HeadDim, HiddenSize], GateUp [2*IntermediateSize, HiddenSize]. The
// biases of the first three are fused too: QKVBias [(Heads+2*KVHeads)*HeadDim], or nil.
type Layer struct {
	AttnNorm, QKV, QKVBias, O, MLPNorm, GateUp, Down *Param
}

// Params holds all parameters of a model.
type Params struct {
	Arrays
	Config Config
	// Precision is the precision of products. The parameters are always float32.
	Precision kernel.Precision
	// Adapter is trained in place of the parameters, which are frozen then; nil if there is
	// none.
	Adapter *Adapter

	Embed  *Param // [VocabSize, HiddenSize]
	Layers []Layer
	Norm   *Param // [HiddenSize]
	Head   *Param // [VocabSize, HiddenSize]; Embed itself if tied, nil in a reward model
	Score  *Param // [1, HiddenSize] of a reward model, else nil
}

// NewParams lays out the parameters of c, all zero. Without gradients, G is nil and the model
// can only be evaluated.
func NewParams(c Config, gradients bool) *Params {
	p := &Params{Config: c}
	p.declare()
	p.allocate(gradients, p.all())
	return p
}

// ParamCount returns the number of parameters of c without allocating them.
func (c Config) ParamCount() int {
	p := &Params{Config: c}
	p.declare()
	return p.Count()
}

// Tensors returns the tensors of a model of configuration c, in order, without weights.
func (c Config) Tensors() []*Param {
	p := &Params{Config: c}
	p.declare()
	return p.Tensors
}

// declare lists the tensors with their offsets.
func (p *Params) declare() {
	c := p.Config
	d, q, kv, f := c.HiddenSize, c.Heads*c.HeadDim, c.KVHeads*c.HeadDim, c.IntermediateSize
	p.Embed = p.tensor("model.embed_tokens.weight", c.VocabSize, d)
	for i := range c.Layers {
		name := func(s string) string { return fmt.Sprintf("model.layers.%d.%s.weight", i, s) }
		var l Layer
		l.AttnNorm = p.tensor(name("input_layernorm"), d)
		l.QKV = fused(name("self_attn.qkv_proj"),
			p.tensor(name("self_attn.q_proj"), q, d),
			p.tensor(name("self_attn.k_proj"), kv, d),
			p.tensor(name("self_attn.v_proj"), kv, d))
		if c.QKVBias() {
			bias := func(s string) string { return strings.TrimSuffix(name(s), ".weight") + ".bias" }
			l.QKVBias = fused(bias("self_attn.qkv_proj"),
				p.tensor(bias("self_attn.q_proj"), q),
				p.tensor(bias("self_attn.k_proj"), kv),
				p.tensor(bias("self_attn.v_proj"), kv))
		}
		l.O = p.tensor(name("self_attn.o_proj"), d, q)
		l.MLPNorm = p.tensor(name("post_attention_layernorm"), d)
		l.GateUp = fused(name("mlp.gate_up_proj"),
			p.tensor(name("mlp.gate_proj"), f, d),
			p.tensor(name("mlp.up_proj"), f, d))
		l.Down = p.tensor(name("mlp.down_proj"), d, f)
		p.Layers = append(p.Layers, l)
	}
	p.Norm = p.tensor("model.norm.weight", d)
	switch {
	case c.IsReward():
		p.Score = p.tensor("score.weight", 1, d)
	case c.TiedHead:
		p.Head = p.Embed
	default:
		p.Head = p.tensor("lm_head.weight", c.VocabSize, d)
	}
}

// all returns every window: the named tensors and the fused ones.
func (p *Params) all() []*Param {
	list := slices.Clone(p.Tensors)
	for _, l := range p.Layers {
		list = append(list, l.QKV, l.GateUp)
		if l.QKVBias != nil {
			list = append(list, l.QKVBias)
		}
	}
	return list
}

// Trained returns the weights that a run changes: the adapter, or all parameters if there is
// no adapter.
func (p *Params) Trained() Trainable {
	if p.Adapter != nil {
		return p.Adapter
	}
	return p
}

// valueHead returns the value head of a reward model. An adapter has its own.
func (p *Params) valueHead() *Param {
	if p.Adapter != nil {
		return p.Adapter.Score
	}
	return p.Score
}

// Init draws all weights from the seed. Norms are 1, biases 0, matrices normal with standard
// deviation InitRange, divided by sqrt(2*Layers) for those that write into the residual stream
// (GPT-2, section 2.3). The value head is zero, so that training starts from equal rewards.
func (p *Params) Init(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x6865726468657264))
	residual := p.Config.InitRange / math.Sqrt(2*float64(p.Config.Layers))
	writes := make(map[int]bool)
	for _, l := range p.Layers {
		writes[l.O.offset], writes[l.Down.offset] = true, true
	}
	for _, t := range p.Tensors {
		switch {
		case strings.HasSuffix(t.Name, ".bias"):
			clear(t.W)
		case len(t.Shape) == 1:
			fill(t.W, func() float32 { return 1 })
		case t == p.Score:
			clear(t.W)
		case writes[t.offset]:
			fill(t.W, func() float32 { return float32(rng.NormFloat64() * residual) })
		default:
			fill(t.W, func() float32 { return float32(rng.NormFloat64() * p.Config.InitRange) })
		}
	}
}

func fill(x []float32, draw func() float32) {
	for i := range x {
		x[i] = draw()
	}
}

// New returns the parameters of a new model of configuration c for training, all zero until
// Init.
func New(c Config) (*Params, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := memory.Check("the weights and what trains them", c.TrainingBytes(true)); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return NewParams(c, true), nil
}
