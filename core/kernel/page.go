package kernel

import "github.com/herd-lm/herd/core/kernel/gemm"

// PageTokens is how many positions a Page holds.
const PageTokens = 32

// Page holds the keys and values of PageTokens successive positions, of all layers
// and packed as the products of attention read them (paged attention: Kwon et al.,
// arXiv 2309.06180). Sequences that begin alike may share it.
type Page struct {
	heads Heads
	data  []float32 // [layers][KV]{keys, values}
}

// NewPage returns a page for a model of so many layers.
func NewPage(layers int, h Heads) *Page {
	return &Page{h, make([]float32, layers*h.KV*h.pageFloats())}
}

// PageBytes returns what a page takes.
func PageBytes(layers int, h Heads) int64 { return 4 * int64(layers*h.KV*h.pageFloats()) }

// keyFloats and pageFloats are what the keys of one head and layer take, and those
// with the values.
func (h Heads) keyFloats() int  { return gemm.PanelFloats(PageTokens, h.Dim) }
func (h Heads) pageFloats() int { return h.keyFloats() + gemm.PanelFloats(h.Dim, PageTokens) }

// Copy makes p hold what from does.
func (p *Page) Copy(from *Page) { copy(p.data, from.data) }

// keys returns a head's keys: a line for each position.
func (p *Page) keys(q *gemm.Panels, layer, kv int) {
	q.Keep(p.part(layer, kv), PageTokens, p.heads.Dim)
}

// values returns a head's values: a depth for each position.
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

// Cached is what a token attends to: the first Len positions of its pages, its own
// the last of them.
type Cached struct {
	Pages []*Page // from position 0 on; as many as Len needs, or more
	Len   int
}

// at returns the page of the token's own position, and where it is there.
func (c Cached) at() (*Page, int) {
	last := c.Len - 1
	return c.Pages[last/PageTokens], last % PageTokens
}

// StoreCached puts the key and value of each fused, rotated row qkv[rows, h.QKV()]
// into its page.
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
