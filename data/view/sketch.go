package view

import (
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"
)

// sketch is a distribution of numbers in bounded memory. Count, mean and extremes are exact;
// quantiles are within 1% of the value. It is DDSketch (Masson et al., VLDB 2019, arXiv
// 1908.10693), with values below 1e-9 taken as zero.
type sketch struct {
	count    int
	sum      float64
	min, max float64
	integral bool        // only integers so far
	buckets  map[int]int // key k > 0 holds (gamma^(k-1), gamma^k], shifted; -k the negatives; 0 zero
}

const (
	sketchError = 0.01
	sketchZero  = 1e-9
)

var logGamma = math.Log((1 + sketchError) / (1 - sketchError))

// sketchShift makes the keys of all numbers above sketchZero positive.
var sketchShift = int(math.Ceil(-math.Log(sketchZero)/logGamma)) + 1

func (s *sketch) add(x float64) {
	if s.count == 0 {
		*s = sketch{min: x, max: x, integral: true, buckets: map[int]int{}}
	}
	s.count++
	s.sum += x
	s.min, s.max = min(s.min, x), max(s.max, x)
	s.integral = s.integral && x == math.Trunc(x)
	s.buckets[sketchKey(x)]++
}

func sketchKey(x float64) int {
	if math.Abs(x) < sketchZero {
		return 0
	}
	key := int(math.Ceil(math.Log(math.Abs(x))/logGamma)) + sketchShift
	if x < 0 {
		return -key
	}
	return key
}

// sketchValue returns the number with the least relative error to all numbers in a bucket.
func sketchValue(key int) float64 {
	if key == 0 {
		return 0
	}
	magnitude := float64(max(key, -key) - sketchShift)
	return math.Copysign(math.Exp(magnitude*logGamma)*(1-sketchError), float64(key))
}

// quantile returns the value that a share q of the numbers does not exceed.
func (s *sketch) quantile(q float64) float64 {
	rank := int(math.Ceil(q * float64(s.count)))
	for _, key := range slices.Sorted(maps.Keys(s.buckets)) {
		if rank -= s.buckets[key]; rank <= 0 {
			x := sketchValue(key)
			if s.integral {
				x = math.Round(x)
			}
			return min(max(x, s.min), s.max)
		}
	}
	return s.max
}

// Distribution summarises many numbers. Median and P95 are within 1%.
type Distribution struct {
	Name                        string
	Count                       int
	Min, Median, Mean, P95, Max float64
}

func (s *sketch) distribution(name string) Distribution {
	return Distribution{name, s.count, s.min, s.quantile(0.5), s.sum / float64(s.count), s.quantile(0.95), s.max}
}

// distinct counts distinct strings: exactly up to mostExact, then with HyperLogLog (Flajolet et
// al., AofA 2007) of 2^14 registers, whose error is about 0.8%.
type distinct struct {
	exact     map[uint64]struct{} // hashes; nil once there are too many
	registers []uint8
}

const (
	mostExact        = 1 << 18
	registerBits     = 14
	registerCount    = 1 << registerBits
	registerConstant = 0.7213 / (1 + 1.079/registerCount)
)

func newDistinct() *distinct {
	return &distinct{exact: map[uint64]struct{}{}, registers: make([]uint8, registerCount)}
}

func (d *distinct) add(s string) {
	h := xxh3.HashString(s)
	if d.exact != nil {
		d.exact[h] = struct{}{}
		if len(d.exact) > mostExact {
			d.exact = nil
		}
	}
	i := h >> (64 - registerBits)
	d.registers[i] = max(d.registers[i], uint8(bits.LeadingZeros64(h<<registerBits|1)+1))
}

// count returns the number of distinct strings and whether it is an estimate.
func (d *distinct) count() (n int, estimate bool) {
	if d.exact != nil {
		return len(d.exact), false
	}
	sum := 0.0
	for _, r := range d.registers {
		sum += math.Ldexp(1, -int(r))
	}
	return int(registerConstant * registerCount * registerCount / sum), true
}
