package engine

import (
	"math"
	"slices"

	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// distribution is a softmax without normalisation.
type distribution struct {
	logits []float32 // [V]
	most   float32   // of logits
	p      []float32 // [V] exp((logits − most)/temperature)
	sums   []float32 // of p, block by block
	sum    float64   // of p
}

// block is the number of probabilities in one partial sum.
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
	for ; ; i++ { // rounding may leave no token in a block: go on to the next
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

// rank is a token with its probability. Ranks sort by falling probability, and equal ones
// by id.
type rank uint64

func rankOf(p float32, id int) rank { return rank(^math.Float32bits(p))<<32 | rank(id) }

func (r rank) p() float32   { return math.Float32frombits(^uint32(r >> 32)) }
func (r rank) id() token.ID { return token.ID(uint32(r)) }

// ranked appends the tokens of bucket least and higher, sorted. It omits those of
// probability 0.
func (d *distribution) ranked(list []rank, least int) []rank {
	for i, p := range d.p {
		if p > 0 && bucket(p) >= least {
			list = append(list, rankOf(p, i))
		}
	}
	slices.Sort(list)
	return list
}

// bucket maps a probability to a coarse rank: its exponent and two bits of its fraction.
// Buckets find candidates without a sort of the vocabulary.
func bucket(p float32) int { return int(math.Float32bits(p) >> 21) }

// buckets is the number of buckets up to probability 1.
const buckets = 0x3f800000>>21 + 1

// floor returns the highest bucket that, together with those above it, holds at least k
// tokens and the given mass.
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
