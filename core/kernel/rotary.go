package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
)

// Heads is the shape of grouped-query attention (Ainslie et al.,
// arXiv 2305.13245): query head i reads key and value head i/(Query/KV).
type Heads struct{ Query, KV, Dim int }

// QKV is the width of a fused row: Query query heads, KV key heads, KV value heads.
func (h Heads) QKV() int { return (h.Query + 2*h.KV) * h.Dim }

// Out is the width of a row of the output: Query heads.
func (h Heads) Out() int { return h.Query * h.Dim }

// group is the number of query heads per key head.
func (h Heads) group() int { return h.Query / h.KV }

// key and value return the offsets of a KV head's key and value in a fused row.
func (h Heads) key(kv int) int   { return (h.Query + kv) * h.Dim }
func (h Heads) value(kv int) int { return (h.Query + h.KV + kv) * h.Dim }

// Rotary holds the cosines and sines of rotary position embeddings (Su et al.,
// arXiv 2104.09864).
type Rotary struct {
	half     int
	cos, sin []float32 // [positions, half]
}

// NewRotary tabulates the angles pos·invFreq[j] for positions [0, maxPos). invFreq has as many
// elements as half a head has dimensions.
func NewRotary(invFreq []float64, maxPos int) *Rotary {
	half := len(invFreq)
	r := &Rotary{half, make([]float32, maxPos*half), make([]float32, maxPos*half)}
	for p := range maxPos {
		for j, f := range invFreq {
			sin, cos := math.Sincos(float64(p) * f)
			r.cos[p*half+j], r.sin[p*half+j] = float32(cos), float32(sin)
		}
	}
	return r
}

// Rotate rotates the query and key heads of the fused rows qkv[n, h.QKV()] in place. Row i is
// at position pos[i]. Coordinate j pairs with j + Dim/2, as in Hugging Face's Llama. inverse
// rotates back, which is the gradient.
func (r *Rotary) Rotate(qkv []float32, pos []int32, h Heads, inverse bool) {
	width, heads := h.QKV(), h.Query+h.KV
	sign := float32(1)
	if inverse {
		sign = -1
	}
	parallelRows(len(pos), heads*h.Dim, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at := int(pos[i]) * r.half
			vector.Rotate(qkv[i*width:][:heads*h.Dim], r.cos[at:][:r.half], r.sin[at:][:r.half], sign)
		}
	})
}
