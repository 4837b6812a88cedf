package engine

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// drawer draws from logits; it keeps its scratch between calls.
type drawer struct {
	logits []float32 // [V] with penalties
	dist   distribution
	ranks  []rank
}

// draw picks a token from logits [V]. Its log-probability, and those of the likeliest
// if they are asked for, are the model's own; NaN if the logits are no distribution.
func (d *drawer) draw(logits []float32, r sample.Request, p *penalties, rng *rand.Rand) sample.Token {
	d.dist.set(logits, 1)
	logNorm := d.dist.logNorm()
	drawn := sample.Token{ID: -1}
	if r.Detail && r.Top > 0 && !math.IsNaN(logNorm) {
		drawn.Top = d.likeliest(logits, r.Top, logNorm)
	}
	if changed := p.apply(d.logits[:0], logits); changed != nil {
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

// coldest is the temperature below which nothing but the likeliest token has a chance.
const coldest = 1e-30

// argmax returns the first of the logits that is most.
func argmax(logits []float32, most float32) token.ID {
	return token.ID(max(0, slices.Index(logits, most)))
}

// likeliest returns the n likeliest tokens of d.dist, which is of logits.
func (d *drawer) likeliest(logits []float32, n int, logNorm float64) []sample.Alternative {
	d.ranks = d.dist.ranked(d.ranks[:0], d.dist.floor(n, 0))
	list := make([]sample.Alternative, min(n, len(d.ranks)))
	for i := range list {
		id := d.ranks[i].id()
		list[i] = sample.Alternative{ID: id, LogProb: float64(logits[id]) - logNorm}
	}
	return list
}

// pick returns the token at which the cumulative probability of what top-k, top-p and
// min-p keep passes u, in [0,1).
func (d *drawer) pick(s sample.Settings, u float64) token.ID {
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

// truncate returns what top-k, top-p and min-p keep, the likeliest first, and the sum
// of its probabilities before they are normalised.
func (d *drawer) truncate(s sample.Settings) (kept []rank, mass float64) {
	d.ranks = d.dist.ranked(d.ranks[:0], d.lowest(s))
	kept, mass = d.ranks, d.dist.sum
	if s.TopK > 0 {
		kept = kept[:min(s.TopK, len(kept))]
		mass = massOf(kept)
	}
	if nucleus(s) {
		// A token is kept if the mass before it is less than top-p, as in
		// sample_top_p of Llama 3's generation.py; of what top-k keeps, as in
		// transformers' TopPLogitsWarper after its TopKLogitsWarper.
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

// lowest returns the lowest bucket of tokens that s may keep.
func (d *drawer) lowest(s sample.Settings) int {
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

// distribution is a softmax that is not normalised.
type distribution struct {
	logits []float32 // [V] that it is of
	most   float32   // of them
	p      []float32 // [V] exp((logits − most)/temperature)
	sums   []float32 // of p, block by block
	sum    float64   // of p
}

// block is how many probabilities are summed together.
const block = 512

func (d *distribution) set(logits []float32, temperature float64) {
	d.logits, d.most = logits, vector.Max(logits)
	d.p, d.sums = append(d.p[:0], logits...), d.sums[:0]
	shift := d.most
	if temperature != 1 {
		vector.Scale(d.p, float32(1/temperature))
		shift = vector.Max(d.p)
	}
	d.sum = 0
	for part := range slices.Chunk(d.p, block) {
		s := vector.ExpSum(part, shift)
		d.sums = append(d.sums, s)
		d.sum += float64(s)
	}
}

// logNorm returns the log of Σ exp(logits), for a distribution at temperature 1.
func (d *distribution) logNorm() float64 {
	if math.IsInf(d.sum, 0) || !(d.sum >= 1) {
		return math.NaN()
	}
	return float64(d.most) + math.Log(d.sum)
}

// at returns the token at which the cumulative probability passes u, in [0,1).
func (d *distribution) at(u float64) token.ID {
	want, before := u*d.sum, 0.0
	i := 0
	for i < len(d.sums)-1 && before+float64(d.sums[i]) <= want {
		before += float64(d.sums[i])
		i++
	}
	last := -1
	for ; ; i++ { // on to the next block if rounding leaves nothing in this
		for k, p := range d.p[i*block : min(len(d.p), (i+1)*block)] {
			if p == 0 {
				continue
			}
			last = i*block + k
			if before += float64(p); before > want {
				return token.ID(last)
			}
		}
		if i == len(d.sums)-1 {
			break
		}
	}
	if last < 0 {
		return argmax(d.logits, d.most)
	}
	return token.ID(last)
}

// rank is a token with its probability, so that the likeliest is the least rank, and
// of equal ones the one of the lowest id.
type rank uint64

func rankOf(p float32, id int) rank { return rank(^math.Float32bits(p))<<32 | rank(id) }

func (r rank) p() float32   { return math.Float32frombits(^uint32(r >> 32)) }
func (r rank) id() token.ID { return token.ID(uint32(r)) }

// ranked appends the tokens from a bucket on in order. Those of probability 0 are left
// out.
func (d *distribution) ranked(list []rank, least int) []rank {
	for i, p := range d.p {
		if p > 0 && bucket(p) >= least {
			list = append(list, rankOf(p, i))
		}
	}
	slices.Sort(list)
	return list
}

// bucket orders probabilities roughly, by exponent and two bits of the fraction.
func bucket(p float32) int { return int(math.Float32bits(p) >> 21) }

// buckets is how many there are up to probability 1.
const buckets = 0x3f800000>>21 + 1

// floor returns the highest bucket that, with those above it, has k tokens and mass.
func (d *distribution) floor(k int, mass float64) int {
	var counts [buckets]int32
	var sums [buckets]float64
	for _, p := range d.p {
		b := bucket(p)
		counts[b]++
		sums[b] += float64(p)
	}
	for b := buckets - 1; b > 0; b-- {
		k -= int(counts[b])
		if mass -= sums[b]; k <= 0 && mass <= 0 {
			return b
		}
	}
	return 0
}
