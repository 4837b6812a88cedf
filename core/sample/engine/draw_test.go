package engine

import (
	"cmp"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// golden holds results of Meta's own model code, in float64.
type golden struct {
	Tokens [][]token.ID
	Logits [][][]float32
	Greedy struct{ Prompt, Continuation []token.ID }
	TopP   struct {
		Temperature float64
		TopP        float64    `json:"top_p"`
		Kept        []token.ID `json:"kept_ids_desc"`
		Probs       []float64  `json:"renormalised_probs"`
	} `json:"top_p"`
}

func readGolden(t *testing.T) golden {
	t.Helper()
	b, err := os.ReadFile("../../model/testdata/tiny_llama/forward.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// kept returns the tokens that top-k and top-p keep, likeliest first, and their
// probabilities, which sum to 1.
func kept(logits []float32, s sample.Settings) (ids []token.ID, probs []float64) {
	var d sampler
	d.dist.set(logits, s.Temperature)
	list, mass := d.truncate(s)
	for _, r := range list {
		ids, probs = append(ids, r.id()), append(probs, float64(r.p())/mass)
	}
	return ids, probs
}

// apart returns the largest difference between two lists of one length.
func apart(a, b []float64) (most float64) {
	for i := range a {
		most = max(most, math.Abs(a[i]-b[i]))
	}
	return most
}

func TestGoldenTopP(t *testing.T) {
	want := readGolden(t)
	logits := want.Logits[0][len(want.Greedy.Prompt)-1] // what follows the greedy prompt
	s := sample.Settings{Temperature: want.TopP.Temperature, TopP: want.TopP.TopP}
	ids, probs := kept(logits, s)
	if !slices.Equal(ids, want.TopP.Kept) {
		t.Fatalf("kept %v, want %v", ids, want.TopP.Kept)
	}
	if d := apart(probs, want.TopP.Probs); d > 1e-6 {
		t.Errorf("probabilities differ by up to %g", d)
	}
	for name, wrong := range map[string]sample.Settings{
		"another temperature": {Temperature: 0.81, TopP: s.TopP},
		"another top-p":       {Temperature: s.Temperature, TopP: 0.89},
	} {
		ids, probs := kept(logits, wrong)
		if slices.Equal(ids, want.TopP.Kept) && apart(probs, want.TopP.Probs) < 1e-6 {
			t.Errorf("planted: %s passes", name)
		}
	}
}

func TestTruncate(t *testing.T) {
	// Probabilities 0.4, 0.3, 0.2, 0.1 out of order, and a token of probability 0.
	logits := []float32{logOf(0.2), logOf(0.4), float32(math.Inf(-1)), logOf(0.1), logOf(0.3)}
	for _, c := range []struct {
		topK  int
		topP  float64
		ids   []token.ID
		probs []float64
	}{
		{0, 0, []token.ID{1, 4, 0, 3}, []float64{0.4, 0.3, 0.2, 0.1}},
		{0, 1, []token.ID{1, 4, 0, 3}, []float64{0.4, 0.3, 0.2, 0.1}},
		{2, 0, []token.ID{1, 4}, []float64{4. / 7, 3. / 7}},
		{9, 0, []token.ID{1, 4, 0, 3}, []float64{0.4, 0.3, 0.2, 0.1}},
		{0, 0.5, []token.ID{1, 4}, []float64{4. / 7, 3. / 7}},
		{0, 0.01, []token.ID{1}, []float64{1}},
		{3, 0.75, []token.ID{1, 4}, []float64{4. / 7, 3. / 7}}, // 0.7 of the 0.9 that top-k keeps is more than 0.75
		{3, 0.95, []token.ID{1, 4, 0}, []float64{4. / 9, 3. / 9, 2. / 9}},
		{1, 0.9, []token.ID{1}, []float64{1}},
	} {
		ids, probs := kept(logits, sample.Settings{Temperature: 1, TopK: c.topK, TopP: c.topP})
		if !slices.Equal(ids, c.ids) || apart(probs, c.probs) > 1e-6 {
			t.Errorf("top-k %d, top-p %g: kept %v with %v, want %v with %v", c.topK, c.topP, ids, probs, c.ids, c.probs)
		}
	}
	for _, c := range []struct {
		s   sample.Settings
		ids []token.ID
	}{
		{sample.Settings{MinP: 0.26}, []token.ID{1, 4, 0}},
		{sample.Settings{MinP: 0.24}, []token.ID{1, 4, 0, 3}},
		{sample.Settings{MinP: 1}, []token.ID{1}},
		{sample.Settings{MinP: 0.6, TopK: 3}, []token.ID{1, 4}},
		{sample.Settings{MinP: 0.1, TopP: 0.5}, []token.ID{1, 4}},
		{sample.Settings{MinP: 0.8, TopP: 0.95}, []token.ID{1}},
	} {
		c.s.Temperature = 1
		if ids, _ := kept(logits, c.s); !slices.Equal(ids, c.ids) {
			t.Errorf("%+v: kept %v, want %v", c.s, ids, c.ids)
		}
	}
}

// reference computes what truncate should keep by sorting the vocabulary.
func reference(logits []float32, s sample.Settings) (ids []token.ID) {
	p := softmax(logits, s.Temperature)
	for i := range p {
		ids = append(ids, token.ID(i))
	}
	slices.SortStableFunc(ids, func(a, b token.ID) int { return cmp.Compare(logits[b], logits[a]) })
	if s.TopK > 0 {
		ids = ids[:min(s.TopK, len(ids))]
	}
	mass := 0.0
	for _, id := range ids {
		mass += p[id]
	}
	if nucleus(s) {
		before := 0.0
		for i, id := range ids {
			if before >= s.TopP*mass {
				ids = ids[:i]
				break
			}
			before += p[id]
		}
	}
	top := p[ids[0]]
	return slices.DeleteFunc(ids, func(id token.ID) bool { return p[id] < s.MinP*top })
}

// TestTruncateLarge compares truncate with the reference on vocabularies of a real size,
// peaked and flat, with many equal logits.
func TestTruncateLarge(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range 40 {
		logits := make([]float32, 3000+rng.IntN(9000))
		spread := []float64{0, 0.1, 1, 4, 5}[i%5]
		for k := range logits {
			logits[k] = float32(math.Round(rng.NormFloat64()*spread*16) / 16)
		}
		s := sample.Settings{Temperature: []float64{0.7, 1, 1.7}[i%3], TopK: rng.IntN(2) * rng.IntN(400), MinP: float64(rng.IntN(2)) * rng.Float64() * 0.2}
		if rng.IntN(2) == 0 {
			s.TopP = 0.3 + 0.69*rng.Float64()
		}
		want := reference(logits, s)
		got, _ := kept(logits, s)
		// Rounding may decide about the last token.
		if n := min(len(got), len(want)); !slices.Equal(got[:n], want[:n]) || len(got)-n > len(got)/500+1 || len(want)-n > len(want)/500+1 {
			t.Errorf("%+v, spread %g: kept %d, want %d", s, spread, len(got), len(want))
		}
	}
}

// TestPickPlaces checks that u in [0,1) maps to the tokens in order, and to each over an
// interval as long as its probability.
func TestPickPlaces(t *testing.T) {
	logits := make([]float32, 2000)
	rng := rand.New(rand.NewPCG(6, 6))
	for i := range logits {
		logits[i] = float32(rng.NormFloat64())
		if i/block == 1 {
			logits[i] = float32(math.Inf(-1)) // a block of nothing
		}
	}
	p := softmax(logits, 1)
	var d sampler
	d.dist.set(logits, 1)
	sum := 0.0
	for i := range logits {
		if p[i] == 0 {
			continue
		}
		if got := d.dist.at(sum + p[i]/2); got != token.ID(i) {
			t.Fatalf("in the middle of token %d: drew %d", i, got)
		}
		sum += p[i]
	}
	if last := d.dist.at(math.Nextafter(1, 0)); p[last] == 0 {
		t.Errorf("at the end: drew %d, which has probability 0", last)
	}
}

// TestPenalties compares with the rules of transformers and of OpenAI, written out.
func TestPenalties(t *testing.T) {
	logits := []float32{2, -2, 1, 0.5}
	p := newPenalties(sample.Settings{Repetition: 2, Presence: 0.25, Frequency: 0.5}, []token.ID{0, 0, 1})
	p.count(1)
	p.count(2)
	p.count(2)
	want := []float32{1, -4 - 0.25 - 0.5, 0.5 - 0.25 - 1, 0.5}
	if got := p.apply(nil, logits); !slices.Equal(got, want) {
		t.Errorf("logits %v, want %v", got, want)
	}
	off := newPenalties(sample.Settings{Repetition: 1}, []token.ID{0})
	off.count(0)
	if got := off.apply(nil, logits); got != nil {
		t.Errorf("without penalties: %v", got)
	}
	// In a draw, another token is now the likeliest, and the log-probability is the model's.
	var d sampler
	drawn := d.draw(logits, sample.Request{}, &p, nil, nil)
	if want := math.Log(softmax(logits, 1)[0]); drawn.ID != 0 || math.Abs(drawn.LogProb-want) > 1e-6 {
		t.Errorf("drew %+v, want 0 with %v", drawn, want)
	}
}

// TestLikeliest checks that the alternatives are the model's own, whatever is drawn.
func TestLikeliest(t *testing.T) {
	logits := []float32{1, 3, 3, 0.5}
	s := sample.Settings{Temperature: 3, Repetition: 5}
	p := newPenalties(s, []token.ID{1})
	var d sampler
	drawn := d.draw(logits, sample.Request{Detail: true, Top: 3, Settings: s}, &p, nil, rand.New(rand.NewPCG(1, 1)))
	all := softmax(logits, 1)
	for i, id := range []token.ID{1, 2, 0} {
		if a := drawn.Top[i]; a.ID != id || math.Abs(a.LogProb-math.Log(all[id])) > 1e-6 {
			t.Errorf("alternative %d: %+v, want %d with %v", i, a, id, math.Log(all[id]))
		}
	}
	if len(drawn.Top) != 3 {
		t.Errorf("%d alternatives", len(drawn.Top))
	}
}

// BenchmarkDraw measures one draw from a vocabulary of 49,152.
func BenchmarkDraw(b *testing.B) {
	logits := make([]float32, 49152)
	rng := rand.New(rand.NewPCG(6, 6))
	for i := range logits {
		logits[i] = float32(3 * rng.NormFloat64())
	}
	for name, s := range map[string]sample.Settings{
		"greedy": {}, "temperature": {Temperature: 1}, "top-p": {Temperature: 0.8, TopP: 0.95}, "top-k": {Temperature: 1, TopK: 40},
	} {
		b.Run(name, func(b *testing.B) {
			var d sampler
			for b.Loop() {
				drawOne(&d, logits, s, rng)
			}
		})
	}
}

func logOf(p float64) float32 { return float32(math.Log(p)) }

func drawOne(d *sampler, logits []float32, s sample.Settings, rng *rand.Rand) (token.ID, float64) {
	p := newPenalties(s, nil)
	drawn := d.draw(logits, sample.Request{Settings: s}, &p, nil, rng)
	return drawn.ID, drawn.LogProb
}

// chiSquare draws often and returns Pearson's statistic against want.
func chiSquare(logits []float32, s sample.Settings, want []float64) float64 {
	const draws = 20000
	rng := rand.New(rand.NewPCG(7, 7))
	var d sampler
	counts := make([]float64, len(logits))
	for range draws {
		id, _ := drawOne(&d, logits, s, rng)
		counts[id]++
	}
	var x float64
	for i, p := range want {
		switch expected := p * draws; {
		case expected > 0:
			x += (counts[i] - expected) * (counts[i] - expected) / expected
		case counts[i] > 0:
			return math.Inf(1)
		}
	}
	return x
}

// softmax is the direct computation.
func softmax(logits []float32, temperature float64) []float64 {
	p := make([]float64, len(logits))
	var sum float64
	for i, x := range logits {
		p[i] = math.Exp(float64(x) / temperature)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func TestDistribution(t *testing.T) {
	logits := []float32{-1.5, 0.3, 1.1, -0.2, 0.9, 0.3, -3, 0, 2, 0.5}
	const most = 27.88 // the 99.9% quantile with 9 degrees of freedom
	all := softmax(logits, 1)
	four := make([]float64, len(logits)) // the likeliest four
	for _, i := range []int{8, 2, 4, 9} {
		four[i] = all[i] / (all[8] + all[2] + all[4] + all[9])
	}
	for _, c := range []struct {
		name string
		s    sample.Settings
		want []float64
	}{
		{"temperature 1", sample.Settings{Temperature: 1}, all},
		{"temperature 0.7", sample.Settings{Temperature: 0.7}, softmax(logits, 0.7)},
		{"temperature 2", sample.Settings{Temperature: 2}, softmax(logits, 2)},
		{"top-k 4", sample.Settings{Temperature: 1, TopK: 4}, four},
		{"top-p", sample.Settings{Temperature: 1, TopP: all[8] + all[2] + all[4] + all[9] - 1e-3}, four},
	} {
		if x := chiSquare(logits, c.s, c.want); x > most {
			t.Errorf("%s: chi-square %.1f, expected at most %.1f", c.name, x, most)
		}
		c.s.Temperature *= 1.1
		if x := chiSquare(logits, c.s, c.want); x < most {
			t.Errorf("planted: a temperature that is 10%% too high gives %.1f for %s", x, c.name)
		}
	}
}

// TestDrawLogProb checks that the log-probability is at temperature 1 over all tokens,
// however a token was drawn.
func TestDrawLogProb(t *testing.T) {
	logits := []float32{1, -2, 3, 0.5, 3}
	for _, s := range []sample.Settings{{}, {Temperature: 1}, {Temperature: 0.3, TopK: 3}, {Temperature: 5, TopP: 0.8}} {
		rng := rand.New(rand.NewPCG(1, 1))
		var d sampler
		for range 20 {
			id, got := drawOne(&d, logits, s, rng)
			if want := math.Log(softmax(logits, 1)[id]); math.Abs(got-want) > 1e-6 {
				t.Errorf("%+v: log-probability of %d is %v, want %v", s, id, got, want)
			}
			if s.Temperature == 0 && id != 2 {
				t.Errorf("greedy drew %d, the first of the likeliest is 2", id)
			}
		}
	}
}

// TestDrawExtremes draws from logits that are large, certain, or not a number.
func TestDrawExtremes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	hot := sample.Settings{Temperature: 1, TopP: 0.9}
	for name, c := range map[string]struct {
		logits []float32
		s      sample.Settings
		id     token.ID
		logp   float64
	}{
		"large":            {[]float32{1e30, 3e38, -3e38}, hot, 1, 0},
		"cold":             {[]float32{1, 2, 0}, sample.Settings{Temperature: 1e-300}, 1, math.Log(softmax([]float32{1, 2, 0}, 1)[1])},
		"certain":          {[]float32{-inf, 0, -inf}, hot, 1, 0},
		"one not a number": {[]float32{1, nan, 0}, hot, -1, math.NaN()},
		"none a number":    {[]float32{nan, nan}, hot, -1, math.NaN()},
		"infinite":         {[]float32{inf, 0}, hot, -1, math.NaN()},
		"nothing can come": {[]float32{-inf, -inf}, hot, -1, math.NaN()},
	} {
		var d sampler
		id, logp := drawOne(&d, c.logits, c.s, rand.New(rand.NewPCG(1, 1)))
		if c.id >= 0 && id != c.id || math.IsNaN(logp) != math.IsNaN(c.logp) || math.Abs(logp-c.logp) > 1e-6 {
			t.Errorf("%s: drew %d with log-probability %v, want %d with %v", name, id, logp, c.id, c.logp)
		}
	}
}

func TestValidate(t *testing.T) {
	good := sample.Settings{Temperature: 1, TopP: 0.9, TopK: 5, MaxTokens: 1}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(*sample.Settings){
		func(s *sample.Settings) { s.Temperature = -1 }, func(s *sample.Settings) { s.Temperature = math.NaN() },
		func(s *sample.Settings) { s.TopP = 1.1 }, func(s *sample.Settings) { s.TopP = math.NaN() }, func(s *sample.Settings) { s.TopP = -0.1 },
		func(s *sample.Settings) { s.TopK = -1 }, func(s *sample.Settings) { s.MaxTokens = 0 },
	} {
		s := good
		if spoil(&s); s.Validate() == nil {
			t.Errorf("%+v passes", s)
		}
	}
}
