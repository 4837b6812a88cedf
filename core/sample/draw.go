package sample

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/token"
)

// drawer draws from logits; it keeps its scratch between calls.
type drawer struct {
	p     []float64 // [V] probabilities
	order []int32   // candidates, likeliest first
}

// draw picks a token from logits [V] and returns it with its log-probability at
// temperature 1, which is NaN if the logits are no distribution.
func (d *drawer) draw(logits []float32, s Settings, rng *rand.Rand) (token.ID, float64) {
	best := argmax(logits)
	logNorm := d.softmax(logits, logits[best], 1)
	id := best
	if s.Temperature > 0 && !math.IsNaN(logNorm) {
		if s.Temperature != 1 {
			d.softmax(logits, logits[best], s.Temperature)
		}
		id = d.pick(s, rng.Float64())
	}
	return token.ID(id), float64(logits[id]) - logNorm
}

func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// softmax sets d.p to exp((logits-most)/t) over its sum, and returns the
// log of the normaliser of logits/t.
func (d *drawer) softmax(logits []float32, most float32, t float64) float64 {
	d.p = slices.Grow(d.p[:0], len(logits))[:len(logits)]
	var sum float64
	for i, v := range logits {
		d.p[i] = math.Exp(float64(v-most) / t)
		sum += d.p[i]
	}
	for i := range d.p {
		d.p[i] /= sum
	}
	return float64(most)/t + math.Log(sum)
}

// pick returns the token at which the cumulative probability of what top-k and
// top-p keep passes u, in [0,1).
func (d *drawer) pick(s Settings, u float64) int {
	if s.TopK == 0 && !s.nucleus() {
		return cumulative(len(d.p), u, func(i int) float64 { return d.p[i] }, 1)
	}
	keep, mass := d.truncate(s)
	return int(d.order[cumulative(keep, u, func(i int) float64 { return d.p[d.order[i]] }, mass)])
}

// truncate sets d.order and returns how many of it top-k and top-p keep, and
// their probability.
func (d *drawer) truncate(s Settings) (keep int, mass float64) {
	d.sort()
	keep, mass = len(d.order), 1
	if s.TopK > 0 {
		keep = min(keep, s.TopK)
		mass = d.mass(keep)
	}
	if !s.nucleus() {
		return keep, mass
	}
	// A token is kept if the mass before it is less than top-p, as in
	// sample_top_p of Llama 3's generation.py; of what top-k keeps, as in
	// transformers' TopPLogitsWarper after its TopKLogitsWarper.
	before := 0.0
	for i, id := range d.order[:keep] {
		if before >= s.TopP*mass {
			return i, before
		}
		before += d.p[id]
	}
	return keep, before
}

// mass returns the probability of the n likeliest tokens.
func (d *drawer) mass(n int) (sum float64) {
	for _, id := range d.order[:n] {
		sum += d.p[id]
	}
	return sum
}

// nucleus reports whether top-p is on.
func (s Settings) nucleus() bool { return s.TopP > 0 && s.TopP < 1 }

// cumulative returns the first i of n whose running sum of p passes u*total.
func cumulative(n int, u float64, p func(int) float64, total float64) int {
	var sum float64
	last := 0
	for i := range n {
		if p(i) == 0 {
			continue
		}
		last = i
		if sum += p(i); sum > u*total {
			return i
		}
	}
	return last
}

// sort orders the candidates by falling probability, equal ones by id.
func (d *drawer) sort() {
	d.order = d.order[:0]
	for i, p := range d.p {
		if p > 0 {
			d.order = append(d.order, int32(i))
		}
	}
	slices.SortStableFunc(d.order, func(a, b int32) int { return cmp.Compare(d.p[b], d.p[a]) })
}
