package kernel

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
	Parallel(len(spans)*h.KV, func(item int) {
		i, kv := item/h.KV, item%h.KV
		g := h.group() * h.Dim
		attendCached(o[i*h.Out()+kv*g:][:g], qkv[i*h.QKV()+kv*g:][:g], spans[i], h, kv)
	})
}

// attendCached computes the query heads q[group, Dim] of one key head into o.
func attendCached(o, q []float32, spans []Span, h Heads, kv int) {
	keys := 0
	for _, s := range spans {
		keys += s.Len
	}
	b := borrow(h.group() * keys)
	defer b.giveBack()
	scores := b.floats // [group, keys]
	cachedScores(scores, q, spans, h, kv, keys)
	for g := range h.group() {
		row := scores[g*keys:][:keys]
		sum := expShifted(row, maximum(row))
		scale(row, 1/sum)
	}
	cachedValues(o, scores, spans, h, kv, keys)
}

func cachedScores(scores, q []float32, spans []Span, h Heads, kv, keys int) {
	at, factor := 0, h.scale()
	for _, s := range spans {
		for j := range s.Len {
			k := s.K[(j*h.KV+kv)*h.Dim:][:h.Dim]
			for g := range h.group() {
				scores[g*keys+at] = dot(q[g*h.Dim:][:h.Dim], k) * factor
			}
			at++
		}
	}
}

func cachedValues(o, scores []float32, spans []Span, h Heads, kv, keys int) {
	clear(o)
	at := 0
	for _, s := range spans {
		for j := range s.Len {
			v := s.V[(j*h.KV+kv)*h.Dim:][:h.Dim]
			for g := range h.group() {
				addScaled(o[g*h.Dim:][:h.Dim], scores[g*keys+at], v)
			}
			at++
		}
	}
}
