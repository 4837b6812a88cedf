package model

import (
	"fmt"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/token"
)

// Decoder computes tokens with cached keys and values. The result of a row does not depend on
// the other rows of the call, bit for bit. A Decoder serves one goroutine at a time.
type Decoder struct {
	config  Config
	heads   kernel.Heads
	rotary  *kernel.Rotary
	weights *Packed
	maxRows int

	x, h, qkv, att, gateUp, act []float32 // [maxRows, ...]
	ids                         []token.ID
	pos                         []int32
	cached                      []kernel.Cached
	logits                      []float32
}

// Row is one token to compute. Its key and value go into its page. It attends to all positions
// before it, which earlier calls or other rows of the same call compute.
type Row struct {
	Pages []*kernel.Page // of its sequence from position 0 on, including its own page
	At    int            // its position
	ID    token.ID
	Want  bool // return the logits that follow this token
}

// NewDecoder returns a decoder for calls of at most maxRows rows, whose products have p's
// precision. It copies the weights (see Pack).
func NewDecoder(p *Params, maxRows int) (*Decoder, error) {
	w, err := Pack(p)
	if err != nil {
		return nil, err
	}
	return w.Decoder(maxRows), nil
}

// Decoder returns a decoder for calls of at most maxRows rows.
func (w *Packed) Decoder(maxRows int) *Decoder {
	c := w.Config
	heads := kernel.Heads{Query: c.Heads, KV: c.KVHeads, Dim: c.HeadDim}
	buffer := func(width int) []float32 { return make([]float32, maxRows*width) }
	return &Decoder{
		config: c, heads: heads, rotary: kernel.NewRotary(c.InvFreq(), c.Context()), weights: w, maxRows: maxRows,
		x: buffer(c.HiddenSize), h: buffer(c.HiddenSize), qkv: buffer(heads.QKV()), att: buffer(heads.Out()),
		gateUp: buffer(2 * c.IntermediateSize), act: buffer(c.IntermediateSize),
	}
}

// NewPage returns a page for the keys and values of kernel.PageTokens positions.
func (d *Decoder) NewPage() *kernel.Page { return kernel.NewPage(d.config.Layers, d.heads) }

// PageBytes returns the size of a page.
func (d *Decoder) PageBytes() int64 { return kernel.PageBytes(d.config.Layers, d.heads) }

// Step computes the rows and returns the logits of those with Want set, [wanted, VocabSize],
// valid until the next call. It is faster if rows that share pages are adjacent.
func (d *Decoder) Step(rows []Row) ([]float32, error) {
	n, err := d.hidden(rows)
	if err != nil {
		return nil, err
	}
	vocab := d.config.VocabSize
	if need := n * vocab; cap(d.logits) < need {
		d.logits = make([]float32, need)
	}
	d.logits = d.logits[:n*vocab]
	if n == 0 {
		return d.logits, nil
	}
	d.weights.head.Linear(d.logits, d.h, nil, n)
	return d.logits, nil
}

// Hidden computes the rows and returns the final, normalised hidden states of those with Want
// set, [wanted, HiddenSize], valid until the next call.
func (d *Decoder) Hidden(rows []Row) ([]float32, error) {
	n, err := d.hidden(rows)
	return d.h[:n*d.config.HiddenSize], err
}

// hidden computes the rows. It leaves the normalised output of the last layer in h for the n
// rows with Want set, and returns n.
func (d *Decoder) hidden(rows []Row) (n int, err error) {
	if err := d.place(rows); err != nil {
		return 0, fmt.Errorf("model: %w", err)
	}
	d.weights.embedding(d.x, d.ids)
	for i := range d.weights.layers {
		d.attentionBlock(i, len(rows))
		d.mlpBlock(i, len(rows))
	}
	width := d.config.HiddenSize
	for i, r := range rows {
		if r.Want {
			copy(d.x[n*width:(n+1)*width], d.x[i*width:(i+1)*width])
			n++
		}
	}
	d.normalise(d.weights.norm, n)
	return n, nil
}

// place checks the rows and lays out the indices that the kernels need.
func (d *Decoder) place(rows []Row) error {
	if len(rows) > d.maxRows {
		return fmt.Errorf("%d rows to decode, at most %d at once", len(rows), d.maxRows)
	}
	d.ids, d.pos, d.cached = d.ids[:0], d.pos[:0], d.cached[:0]
	for _, r := range rows {
		switch {
		case int(r.ID) < 0 || int(r.ID) >= d.config.VocabSize:
			return fmt.Errorf("token id %d is outside the vocabulary of %d", r.ID, d.config.VocabSize)
		case r.At < 0 || r.At >= len(r.Pages)*kernel.PageTokens:
			return fmt.Errorf("position %d is outside the %d pages of its sequence", r.At, len(r.Pages))
		}
		if err := d.config.CheckContext(r.At + 1); err != nil {
			return err
		}
		d.ids, d.pos = append(d.ids, r.ID), append(d.pos, int32(r.At))
		d.cached = append(d.cached, kernel.Cached{Pages: r.Pages, Len: r.At + 1})
	}
	return nil
}

func (d *Decoder) attentionBlock(layer, n int) {
	l := &d.weights.layers[layer]
	d.normalise(l.attnNorm, n)
	l.qkv.Linear(d.qkv, d.h, nil, n)
	if l.qkvBias != nil {
		kernel.AddBias(d.qkv, l.qkvBias, n, len(l.qkvBias))
	}
	d.rotary.Rotate(d.qkv[:n*d.heads.QKV()], d.pos, d.heads, false)
	kernel.StoreCached(d.qkv, d.cached, layer, d.heads)
	kernel.AttentionCached(d.att, d.qkv, d.cached, layer, d.heads)
	l.o.Linear(d.x, d.att, d.x, n)
}

func (d *Decoder) mlpBlock(layer, n int) {
	l := &d.weights.layers[layer]
	d.normalise(l.mlpNorm, n)
	l.gateUp.Linear(d.gateUp, d.h, nil, n)
	kernel.SwiGLU(d.act, d.gateUp, n, d.config.IntermediateSize)
	l.down.Linear(d.x, d.act, d.x, n)
}

// normalise sets h to the normalised x.
func (d *Decoder) normalise(g []float32, n int) {
	kernel.RMSNorm(d.h, nil, d.x, g, n, len(g), float32(d.config.NormEps))
}
