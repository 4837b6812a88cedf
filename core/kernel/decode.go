package kernel

import "github.com/herd-lm/herd/core/kernel/vector"

// Span is a run of cached keys and values, each [Len, KV·Dim], keys rotated.
type Span struct {
	K, V []float32
	Len  int
}

// AttentionCached is attention with one query token per row: row i of the fused,
// rotated qkv[rows, h.QKV()] attends to all of spans[i], in which its own key
// and value must be if it is to see itself; o[rows, h.Out()]. Where spans are
// cut makes no difference to the result, bit for bit: a prompt may be shared.
func AttentionCached(o, qkv []float32, spans [][]Span, h Heads) {
	if len(spans) == 0 {
		return
	}
	keys := 0
	for _, s := range spans {
		keys += count(s)
	}
	parallelRows(len(spans)*h.KV, 2*h.Dim*keys/len(spans), func(lo, hi int) {
		for item := lo; item < hi; item++ {
			i, kv := item/h.KV, item%h.KV
			g := h.group() * h.Dim
			attendCached(o[i*h.Out()+kv*g:][:g], qkv[i*h.QKV()+kv*g:][:g], spans[i], h, kv)
		}
	})
}

// count returns the number of keys in spans.
func count(spans []Span) (keys int) {
	for _, s := range spans {
		keys += s.Len
	}
	return keys
}

// attendCached computes the query heads q[group, Dim] of one key head into o.
func attendCached(o, q []float32, spans []Span, h Heads, kv int) {
	keys := count(spans)
	b := borrow(h.group() * keys)
	defer b.giveBack()
	scores := b.floats // [group, keys]
	width := h.KV * h.Dim
	eachSpan(spans, h, kv, func(g, at int, k, _ []float32, n int) {
		vector.DotRows(scores[g*keys+at:][:n], q[g*h.Dim:][:h.Dim], k, width)
	})
	for g := range h.group() {
		cachedSoftmax(scores[g*keys:][:keys], h.scale())
	}
	clear(o)
	eachSpan(spans, h, kv, func(g, at int, _, v []float32, n int) {
		vector.AddRows(o[g*h.Dim:][:h.Dim], scores[g*keys+at:][:n], v, width)
	})
}

// eachSpan calls f for every span that is not empty and every query head g of
// the group: at is the number of keys before the span, k and v are the key
// head's lines.
func eachSpan(spans []Span, h Heads, kv int, f func(g, at int, k, v []float32, n int)) {
	at := 0
	for _, s := range spans {
		if s.Len == 0 {
			continue
		}
		for g := range h.group() {
			f(g, at, s.K[kv*h.Dim:], s.V[kv*h.Dim:], s.Len)
		}
		at += s.Len
	}
}

// cachedSoftmax replaces x by softmax(factor·x).
func cachedSoftmax(x []float32, factor float32) {
	vector.Scale(x, factor)
	sum := vector.ExpSum(x, vector.Max(x))
	vector.Scale(x, 1/sum)
}
