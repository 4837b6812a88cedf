package engine

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// sampler draws tokens from logits. It keeps its buffers between calls.
type sampler struct {
	logits []float32 // [V] with penalties
	dist   distribution
	ranks  []rank
}

// draw draws a token from logits [V], one of allowed unless that is nil. Log-probabilities, also of
// the likeliest tokens if r asks for them, are the model's own; NaN if the logits are not finite.
func (d *sampler) draw(logits []float32, r sample.Request, p *penalties, allowed []uint64, rng *rand.Rand) sample.Token {
	d.dist.set(logits, 1)
	logNorm := d.dist.logNorm()
	drawn := sample.Token{ID: -1}
	if r.Detail && r.Top > 0 && !math.IsNaN(logNorm) {
		drawn.Top = d.likeliest(logits, r.Top, logNorm)
	}
	if changed := restrict(p.apply(d.logits[:0], logits), d.logits[:0], logits, allowed); changed != nil {
		d.logits = changed
		d.dist.set(changed, 1)
	}
	switch {
	case math.IsNaN(logNorm):
		drawn.ID = 0
	case r.Temperature < coldest:
		drawn.ID = argmax(d.dist.logits, d.dist.most)
	default:
		if r.Temperature != 1 {
			d.dist.set(d.dist.logits, r.Temperature)
		}
		drawn.ID = d.pick(r.Settings, rng.Float64())
	}
	drawn.LogProb = float64(logits[drawn.ID]) - logNorm
	return drawn
}

// given returns a token that is not drawn but given, with its log-probability and those of the
// likeliest tokens if r asks for them.
func (d *sampler) given(logits []float32, id token.ID, r sample.Request) sample.Token {
	d.dist.set(logits, 1)
	logNorm := d.dist.logNorm()
	t := sample.Token{ID: id, LogProb: float64(logits[id]) - logNorm}
	if r.Top > 0 && !math.IsNaN(logNorm) {
		t.Top = d.likeliest(logits, r.Top, logNorm)
	}
	return t
}

// coldest is the temperature below which only the likeliest token can be drawn.
const coldest = 1e-30

// argmax returns the first token whose logit is most.
func argmax(logits []float32, most float32) token.ID {
	return token.ID(max(0, slices.Index(logits, most)))
}

// likeliest returns the n likeliest tokens. d.dist is the distribution of logits.
func (d *sampler) likeliest(logits []float32, n int, logNorm float64) []sample.Alternative {
	d.ranks = d.dist.ranked(d.ranks[:0], d.dist.floor(n, 0))
	list := make([]sample.Alternative, min(n, len(d.ranks)))
	for i := range list {
		id := d.ranks[i].id()
		list[i] = sample.Alternative{ID: id, LogProb: float64(logits[id]) - logNorm}
	}
	return list
}

// pick truncates the distribution by top-k, top-p and min-p. It returns the token at
// which the cumulative probability of the rest passes u, in [0,1).
func (d *sampler) pick(s sample.Settings, u float64) token.ID {
	if s.TopK == 0 && s.MinP == 0 && !nucleus(s) {
		return d.dist.at(u)
	}
	kept, mass := d.truncate(s)
	last := kept[0].id()
	var sum float64
	for _, r := range kept {
		last = r.id()
		if sum += float64(r.p()); sum > u*mass {
			break
		}
	}
	return last
}

// truncate returns the tokens that top-k, top-p and min-p keep, the likeliest first, and
// the sum of their probabilities, which are not normalised.
func (d *sampler) truncate(s sample.Settings) (kept []rank, mass float64) {
	d.ranks = d.dist.ranked(d.ranks[:0], d.lowest(s))
	kept, mass = d.ranks, d.dist.sum
	if s.TopK > 0 {
		kept = kept[:min(s.TopK, len(kept))]
		mass = massOf(kept)
	}
	if nucleus(s) {
		// Keep a token if the mass before it is less than top-p, as sample_top_p
		// of Llama 3's generation.py does. The mass is of the tokens that top-k
		// keeps, as in transformers' TopPLogitsWarper after TopKLogitsWarper.
		before := 0.0
		for i, r := range kept {
			if before >= s.TopP*mass {
				kept = kept[:i]
				break
			}
			before += float64(r.p())
		}
	}
	if s.MinP > 0 {
		least := float32(s.MinP) * kept[0].p()
		i := slices.IndexFunc(kept, func(r rank) bool { return r.p() < least })
		if i >= 0 {
			kept = kept[:i]
		}
	}
	return kept, massOf(kept)
}

// lowest returns the lowest bucket whose tokens s may keep.
func (d *sampler) lowest(s sample.Settings) int {
	switch {
	case s.TopK > 0:
		return d.dist.floor(s.TopK, 0)
	case nucleus(s):
		return d.dist.floor(0, s.TopP*d.dist.sum)
	}
	return bucket(float32(s.MinP) * 0.99) // the likeliest has about 1
}

func massOf(list []rank) (mass float64) {
	for _, r := range list {
		mass += float64(r.p())
	}
	return mass
}

// nucleus reports whether top-p is on.
func nucleus(s sample.Settings) bool { return s.TopP > 0 && s.TopP < 1 }
