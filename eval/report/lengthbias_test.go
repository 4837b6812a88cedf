package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/data/table"
)

func tokens(d draw) float64 { return float64(d.tokens) }

// naiveSpearman counts ranks, and is Pearson's correlation of them.
func naiveSpearman(x, y []float64) float64 {
	rank := func(of []float64, i int) float64 {
		less, equal := 0.0, 0.0
		for _, v := range of {
			switch {
			case v < of[i]:
				less++
			case v == of[i]:
				equal++
			}
		}
		return less + (equal+1)/2
	}
	var sx, sy, sxx, syy, sxy float64
	for i := range x {
		a, b := rank(x, i), rank(y, i)
		sx, sy, sxx, syy, sxy = sx+a, sy+b, sxx+a*a, syy+b*b, sxy+a*b
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / math.Sqrt((n*sxx-sx*sx)*(n*syy-sy*sy))
}

func TestSpearman(t *testing.T) {
	// The example of Wikipedia's article: hours of television against IQ.
	iq, hours := []int32{106, 86, 100, 101, 99, 103, 97, 113, 112, 110}, []float64{7, 0, 27, 50, 28, 29, 20, 12, 6, 17}
	var draws []draw
	for i := range iq {
		draws = append(draws, draw{tokens: iq[i], score: hours[i]})
	}
	if got := spearman(draws, tokens, score); math.Abs(got+29.0/165) > tiny {
		t.Errorf("got %g, want -29/165", got)
	}
	rng := rand.New(rand.NewPCG(2, 8))
	for range 300 {
		var draws []draw
		var x, y []float64
		for range 3 + rng.IntN(8) {
			a, b := rng.IntN(4), float64(rng.IntN(3))
			draws, x, y = append(draws, draw{tokens: int32(a), score: b}), append(x, float64(a)), append(y, b)
		}
		got, want := spearman(draws, tokens, score), naiveSpearman(x, y)
		if known(got) != known(want) || math.Abs(got-want) > 1e-9 {
			t.Errorf("%v and %v: %g, want %g", x, y, got, want)
		}
	}
	if got := spearman(draws[:2], tokens, score); known(got) {
		t.Errorf("of two samples: %g", got)
	}
}

// TestLengthBiasIsNoticed has rewards that like length, that dislike it, and that
// do not care. Hard prompts have long answers and low rewards throughout, which
// must not show.
func TestLengthBiasIsNoticed(t *testing.T) {
	for _, c := range []struct {
		liking float64
		want   bool
	}{{0.02, true}, {-0.02, true}, {0, false}} {
		rng := rand.New(rand.NewPCG(3, 3))
		b := New(Options{})
		for range 150 {
			hard := rng.Float64()
			var row table.Sample
			for range 12 {
				length := 50 + int(200*hard) + rng.IntN(100)
				x := rng.NormFloat64() - 10*hard + c.liking*float64(length)
				row.Candidates = append(row.Candidates, table.Candidate{Text: string(make([]byte, length)), Score: &x})
			}
			b.Add(row)
		}
		l := b.Report().LengthBias
		if l.WorthALook != c.want || c.want && (l.Score.Value > 0) != (c.liking > 0) {
			t.Errorf("liking %g: %+v, worth a look %v", c.liking, *l.Score, l.WorthALook)
		}
		first, last := l.Bins[0].Score.Value, l.Bins[len(l.Bins)-1].Score.Value
		if c.want && ((last > first) != (c.liking > 0) || (l.Winners.Value > l.Losers.Value) != (c.liking > 0)) {
			t.Errorf("liking %g: scores from %g to %g, winners of %g, losers of %g", c.liking, first, last, l.Winners.Value, l.Losers.Value)
		}
	}
}

// TestLengthBins counts every sample once, and none in a bin that does not hold it.
func TestLengthBins(t *testing.T) {
	var prompts []prompt
	want := 0
	for _, row := range newWorld(8).rows(40, func(i int) int { return i % 6 }) {
		b := New(Options{})
		b.Add(row)
		prompts = append(prompts, b.prompts...)
		if n := len(row.Candidates); n > 1 {
			want += n
		}
	}
	s := &survey{prompts, newBootstrap(1, len(prompts)), lengthOf(prompts)}
	bins := s.lengthBins()
	n, sum := 0, 0.0
	for i, b := range bins {
		n += b.Samples
		sum += b.Score.Value * float64(b.Samples)
		if b.Samples == 0 || b.Length < b.From-1e-6 || b.Length > b.To+1e-6 || i > 0 && b.From != bins[i-1].To {
			t.Errorf("bin %d: %+v", i, b)
		}
	}
	if n != want || math.Abs(sum) > 1e-4 {
		t.Errorf("%d samples in bins, want %d; centred scores sum to %g", n, want, sum)
	}
}
