package kernel

import "github.com/herd-lm/herd/core/kernel/gemm"

// PageTokens is the number of positions in a Page.
const PageTokens = 32

// Page holds the keys and values of PageTokens successive positions in all layers, packed as
// the products of attention read them (paged attention: Kwon et al., arXiv 2309.06180).
// Sequences with a common beginning may share it.
type Page struct {
	heads Heads
	data  []float32 // [layers][KV]{keys, values}
}

// NewPage returns a page for a model with the given number of layers.
func NewPage(layers int, h Heads) *Page {
	return &Page{h, make([]float32, layers*h.KV*h.pageFloats())}
}

// PageBytes returns the size of a page.
func PageBytes(layers int, h Heads) int64 { return 4 * int64(layers*h.KV*h.pageFloats()) }

// keyFloats and pageFloats are the sizes of the keys of one head in one layer, and of its keys
// and values.
func (h Heads) keyFloats() int  { return gemm.PanelFloats(PageTokens, h.Dim) }
func (h Heads) pageFloats() int { return h.keyFloats() + gemm.PanelFloats(h.Dim, PageTokens) }

// Copy sets p to the contents of from.
func (p *Page) Copy(from *Page) { copy(p.data, from.data) }

// keys returns the keys of a head: a line for each position.
func (p *Page) keys(q *gemm.Panels, layer, kv int) {
	q.Keep(p.part(layer, kv), PageTokens, p.heads.Dim)
}

// values returns the values of a head: a depth for each position.
func (p *Page) values(q *gemm.Panels, layer, kv int) {
	q.Keep(p.part(layer, kv)[p.heads.keyFloats():], p.heads.Dim, PageTokens)
}

func (p *Page) part(layer, kv int) []float32 {
	size := p.heads.pageFloats()
	return p.data[(layer*p.heads.KV+kv)*size:][:size]
}

// set stores the key and the value of one head at a position of the page.
func (p *Page) set(layer, kv, at int, key, value []float32) {
	var q gemm.Panels
	p.keys(&q, layer, kv)
	q.SetLine(at, key)
	p.values(&q, layer, kv)
	q.SetDepth(at, value)
}

// Cached is what a token attends to: the first Len positions of its pages. Its own position is
// the last of them.
type Cached struct {
	Pages []*Page // from position 0 on; at least as many as Len needs
	Len   int
}

// at returns the page of the token's own position, and the position within it.
func (c Cached) at() (*Page, int) {
	last := c.Len - 1
	return c.Pages[last/PageTokens], last % PageTokens
}

// StoreCached stores the key and value of each fused, rotated row qkv[rows, h.QKV()] in its
// page.
func StoreCached(qkv []float32, rows []Cached, layer int, h Heads) {
	parallelRows(len(rows), 16*h.KV*h.Dim, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := qkv[i*h.QKV():][:h.QKV()]
			page, at := rows[i].at()
			for kv := range h.KV {
				page.set(layer, kv, at, row[h.key(kv):][:h.Dim], row[h.value(kv):][:h.Dim])
			}
		}
	})
}
