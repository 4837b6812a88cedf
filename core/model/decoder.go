package model

import (
	"fmt"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/token"
)

// Decoder computes one token after another with cached keys and values. What a
// row gives does not depend on the other rows of the call. A Decoder serves one
// goroutine at a time.
type Decoder struct {
	config  Config
	heads   kernel.Heads
	rotary  *kernel.Rotary
	weights *Packed
	maxRows int

	x, h, qkv, att, gateUp, act []float32 // [maxRows, ...]
	ids                         []token.ID
	pos                         []int32
	spans                       [][]kernel.Span
	logits                      []float32
}

// Cache holds the keys and values of a stretch of tokens in every layer. A
// child continues where its parent ended: samples of one prompt share the
// prompt's cache.
type Cache struct {
	parent *Cache
	start  int         // position of the first token
	n, cap int         // tokens held, and at most
	k, v   [][]float32 // per layer [cap, KVHeads*HeadDim]
}

// Row is one token to compute: it is appended to Cache. Several rows of one
// call may belong to one cache; they are consecutive tokens.
type Row struct {
	Cache *Cache
	ID    token.ID
	Want  bool // return the logits that follow this token
}

// NewDecoder returns a decoder for calls of at most maxRows rows, with products of
// p's precision. It has its own copy of the weights (see Pack).
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
		spans: make([][]kernel.Span, maxRows),
	}
}

// NewCache returns an empty cache for capacity tokens that continues parent,
// which may be nil and must not grow any more.
func (d *Decoder) NewCache(parent *Cache, capacity int) *Cache {
	c := &Cache{parent: parent, cap: capacity}
	if parent != nil {
		c.start = parent.start + parent.n
	}
	width := d.heads.KV * d.heads.Dim
	for range d.config.Layers {
		c.k = append(c.k, make([]float32, capacity*width))
		c.v = append(c.v, make([]float32, capacity*width))
	}
	return c
}

// Len returns the number of tokens up to the end of c, those of its ancestors included.
func (c *Cache) Len() int { return c.start + c.n }

// Step computes the rows and returns the logits of those that want them,
// [wanted, VocabSize], valid until the next call.
func (d *Decoder) Step(rows []Row) ([]float32, error) {
	if err := d.place(rows); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	d.ids = d.ids[:0]
	for _, r := range rows {
		d.ids = append(d.ids, r.ID)
	}
	d.weights.embedding(d.x, d.ids)
	for i := range d.weights.layers {
		d.attentionBlock(i, rows)
		d.mlpBlock(i, len(rows))
	}
	return d.head(rows), nil
}

// place gives each row its position and checks that everything fits.
func (d *Decoder) place(rows []Row) error {
	if len(rows) > d.maxRows {
		return fmt.Errorf("%d rows to decode, at most %d at once", len(rows), d.maxRows)
	}
	d.pos = d.pos[:0]
	for _, r := range rows {
		c := r.Cache
		switch {
		case int(r.ID) < 0 || int(r.ID) >= d.config.VocabSize:
			return fmt.Errorf("token id %d is outside the vocabulary of %d", r.ID, d.config.VocabSize)
		case c.n == c.cap:
			return fmt.Errorf("cache of %d tokens is full", c.cap)
		}
		if err := d.config.CheckContext(c.Len() + 1); err != nil {
			return err
		}
		d.pos = append(d.pos, int32(c.Len()))
		c.n++
	}
	return nil
}

func (d *Decoder) attentionBlock(layer int, rows []Row) {
	l, n := &d.weights.layers[layer], len(rows)
	d.normalise(l.attnNorm, n)
	l.qkv.Linear(d.qkv, d.h, nil, n)
	if l.qkvBias != nil {
		kernel.AddBias(d.qkv, l.qkvBias, n, len(l.qkvBias))
	}
	d.rotary.Rotate(d.qkv[:n*d.heads.QKV()], d.pos, d.heads, false)
	for i, r := range rows {
		d.store(layer, i, r.Cache)
		d.spans[i] = r.Cache.appendSpans(d.spans[i][:0], layer, int(d.pos[i])+1)
	}
	kernel.AttentionCached(d.att, d.qkv, d.spans[:n], d.heads)
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

// store copies keys and values of row i of qkv into its cache.
func (d *Decoder) store(layer, i int, c *Cache) {
	width := d.heads.KV * d.heads.Dim
	row := d.qkv[i*d.heads.QKV() : (i+1)*d.heads.QKV()]
	kv := row[d.heads.Out():]
	at := (int(d.pos[i]) - c.start) * width
	copy(c.k[layer][at:at+width], kv[:width])
	copy(c.v[layer][at:at+width], kv[width:])
}

// appendSpans appends what a token sees of the first end positions: the
// ancestors' caches, then c's own.
func (c *Cache) appendSpans(spans []kernel.Span, layer, end int) []kernel.Span {
	if c.parent != nil {
		spans = c.parent.appendSpans(spans, layer, c.start)
	}
	if n := end - c.start; n > 0 {
		spans = append(spans, kernel.Span{K: c.k[layer], V: c.v[layer], Len: n})
	}
	return spans
}

// head returns the logits of the rows that want them.
func (d *Decoder) head(rows []Row) []float32 {
	width, vocab := d.config.HiddenSize, d.config.VocabSize
	wanted := 0
	for i, r := range rows {
		if r.Want {
			copy(d.x[wanted*width:(wanted+1)*width], d.x[i*width:(i+1)*width])
			wanted++
		}
	}
	if need := wanted * vocab; cap(d.logits) < need {
		d.logits = make([]float32, need)
	}
	d.logits = d.logits[:wanted*vocab]
	d.normalise(d.weights.norm, wanted)
	d.weights.head.Linear(d.logits, d.h, nil, wanted)
	return d.logits
}
