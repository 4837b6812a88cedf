package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
)

// AttentionCached is attention with one query token per row: row i of the fused, rotated
// qkv[rows, h.QKV()] attends to rows[i] in a layer, into o[rows, h.Out()]. Call StoreCached
// first. Adjacent rows that share a page, such as samples of one prompt or tokens of one
// sequence, share its matrix products. The result of a row does not depend on the other rows,
// bit for bit.
func AttentionCached(o, qkv []float32, rows []Cached, layer int, h Heads) {
	if len(rows) == 0 {
		return
	}
	keys := 0
	for _, r := range rows {
		keys += r.Len
	}
	each := h.clusterRows(len(rows))
	clusters := (len(rows) + each - 1) / each
	parallelRows(clusters*h.KV, 2*h.Dim*h.group()*keys/clusters, func(lo, hi int) {
		for item := lo; item < hi; item++ {
			from := item / h.KV * each
			c := newCluster(qkv, rows[from:min(len(rows), from+each)], from, layer, item%h.KV, h)
			c.attend(o)
			c.giveBack()
		}
	})
}

// clusterRows returns how many of n rows to process together: few enough that each thread has
// work, and that their queries and scores stay in the caches.
func (h Heads) clusterRows(n int) int {
	clusters := max(1, (2*Threads()+h.KV-1)/h.KV)
	return min(h.blockTokens(), max(1, (n+clusters-1)/clusters))
}

// cluster is some adjacent rows with all query heads of one key head. A line is a query: line
// r·group+g is head g of row r.
type cluster struct {
	h     Heads
	rows  []Cached
	first int // first row in qkv and o
	layer int
	kv    int

	width   int // of a line of scores, in whole pages
	memory  *buffer
	scratch *gemm.Scratch
	panels  gemm.Panels // of a page
	q, out  []float32   // [rows·group, Dim]
	scores  []float32   // [rows·group, width], then probabilities
}

func newCluster(qkv []float32, rows []Cached, first, layer, kv int, h Heads) *cluster {
	most := 0
	for _, r := range rows {
		most = max(most, r.Len)
	}
	lines, width := len(rows)*h.group(), (most+PageTokens-1)/PageTokens*PageTokens
	b := borrow(lines * (2*h.Dim + width))
	c := &b.cluster
	*c = cluster{h: h, rows: rows, first: first, layer: layer, kv: kv, width: width, memory: b, scratch: gemm.Borrow()}
	rest := b.floats
	c.q, c.out, c.scores = cut(&rest, lines*h.Dim), cut(&rest, lines*h.Dim), cut(&rest, lines*width)
	run := h.group() * h.Dim
	for r := range rows {
		copy(c.q[r*run:][:run], qkv[(first+r)*h.QKV()+kv*run:])
	}
	return c
}

func (c *cluster) giveBack() {
	c.scratch.GiveBack()
	memory := c.memory
	*c = cluster{} // keep no page alive
	memory.giveBack()
}

// attend computes the output of the cluster.
func (c *cluster) attend(o []float32) {
	c.eachPage(c.score)
	for r, row := range c.rows {
		for g := range c.h.group() {
			line := c.scores[(r*c.h.group()+g)*c.width:][:c.width]
			cachedSoftmax(line[:row.Len], c.h.scale())
			clear(line[row.Len:]) // to the end of the page, where other rows see more
		}
	}
	c.eachPage(c.sum)
	run := c.h.group() * c.h.Dim
	for r := range c.rows {
		copy(o[(c.first+r)*c.h.Out()+c.kv*run:][:run], c.out[r*run:][:run])
	}
}

// eachPage calls f for runs [r0, r1) of rows that see some of one page, their j-th, until all
// rows have processed all their pages, each in the order of positions.
func (c *cluster) eachPage(f func(p *Page, j, r0, r1 int)) {
	for j := range c.width / PageTokens {
		for r0 := 0; r0 < len(c.rows); {
			r1 := r0 + 1
			if page := c.page(r0, j); page != nil {
				for r1 < len(c.rows) && c.page(r1, j) == page {
					r1++
				}
				f(page, j, r0, r1)
			}
			r0 = r1
		}
	}
}

// page returns the j-th page of row r, or nil if the row sees nothing of it.
func (c *cluster) page(r, j int) *Page {
	if c.rows[r].Len <= j*PageTokens {
		return nil
	}
	return c.rows[r].Pages[j]
}

// seen returns how many positions of their j-th page any of the rows sees. Memory beyond them
// can hold anything.
func (c *cluster) seen(j, r0, r1 int) (n int) {
	for _, row := range c.rows[r0:r1] {
		n = max(n, min(PageTokens, row.Len-j*PageTokens))
	}
	return n
}

// score multiplies queries by the keys of a page. The scores that a row does not see are
// cleared later.
func (c *cluster) score(p *Page, j, r0, r1 int) {
	b := &c.panels
	p.keys(b, c.layer, c.kv)
	l0, l1 := r0*c.h.group(), r1*c.h.group()
	b.Multiply(c.scratch, gemm.Product{
		C: c.scores[l0*c.width+j*PageTokens:], Stride: c.width,
		A: gemm.Rows(c.q[l0*c.h.Dim:], c.h.Dim), M: l1 - l0, N: (c.seen(j, r0, r1) + 15) &^ 15, Depth: c.h.Dim,
	})
}

// sum adds the values of a page, weighted by their probabilities.
func (c *cluster) sum(p *Page, j, r0, r1 int) {
	b := &c.panels
	p.values(b, c.layer, c.kv)
	l0, l1 := r0*c.h.group(), r1*c.h.group()
	out := c.out[l0*c.h.Dim:]
	b.Multiply(c.scratch, gemm.Product{
		C: out, Stride: c.h.Dim, Add: addTo(out, j > 0),
		A: gemm.Rows(c.scores[l0*c.width+j*PageTokens:], c.width), M: l1 - l0, N: c.h.Dim, Depth: c.seen(j, r0, r1),
	})
}

// cachedSoftmax replaces x by softmax(factor·x).
func cachedSoftmax(x []float32, factor float32) {
	vector.Scale(x, factor)
	sum := vector.ExpSum(x, vector.Max(x))
	vector.Scale(x, 1/sum)
}
