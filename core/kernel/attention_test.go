package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// randomForest cuts n tokens into segments with random parents.
func randomForest(rng *rand.Rand, n int) []token.Segment {
	var segs []token.Segment
	for start := 0; start < n; {
		end := min(n, start+1+rng.IntN(n/2))
		segs = append(segs, token.Segment{Start: int32(start), End: int32(end), Parent: int32(rng.IntN(len(segs)+1) - 1)})
		start = end
	}
	return segs
}

// TestRandomForests compares Attention with its definition, and AttentionGrad
// with how the definition changes along a random direction.
func TestRandomForests(t *testing.T) {
	for seed := range uint64(25) {
		rng := newRand(100 + seed)
		h := Heads{KV: 1 + rng.IntN(3), Dim: 1 + rng.IntN(20)}
		h.Query = h.KV * (1 + rng.IntN(4))
		segs, n := randomForest(rng, 150), 150
		qkv, do, direction := random(rng, n*h.QKV()), random(rng, n*h.Out()), random(rng, n*h.QKV())
		o, lse, dqkv := random(rng, n*h.Out()), random(rng, n*h.Query), random(rng, n*h.QKV())
		FP32.Attention(o, lse, qkv, segs, h)
		FP32.AttentionGrad(dqkv, do, o, lse, qkv, segs, h)

		name := fmt.Sprintf("seed %d, %+v, %v", seed, h, segs)
		wantO, wantLSE := refAttention(widen(qkv), segs, h, n)
		if err := near(o, wantO, 1e-5); err != nil {
			t.Errorf("%s: o: %v", name, err)
		}
		if err := near(lse, wantLSE, 1e-5); err != nil {
			t.Errorf("%s: lse: %v", name, err)
		}
		got, size := 0.0, 1.0
		for i, d := range direction {
			got += float64(d) * float64(dqkv[i])
			size += math.Abs(float64(d) * float64(dqkv[i]))
		}
		if want := alongDirection(qkv, direction, do, segs, h, n); !(math.Abs(got-want) <= 1e-6*size) {
			t.Errorf("%s: slope %v, want %v", name, got, want)
		}
	}
}

// alongDirection returns the derivative of Σ do·o as qkv moves along direction.
func alongDirection(qkv, direction, do []float32, segs []token.Segment, h Heads, n int) float64 {
	const step = 1e-5
	loss := func(by float64) (sum float64) {
		moved := widen(qkv)
		for i, d := range direction {
			moved[i] += by * float64(d)
		}
		o, _ := refAttention(moved, segs, h, n)
		for i, v := range o {
			sum += v * float64(do[i])
		}
		return sum
	}
	return (loss(step) - loss(-step)) / (2 * step)
}

// TestAttentionExtremes: scores of ±1e4 neither overflow nor lose the answer.
func TestAttentionExtremes(t *testing.T) {
	h := Heads{1, 1, 1}
	qkv := []float32{
		1, 1e4, 1,
		-1e4, 1e4, 2, // sees scores of -1e8, -1e8
		1e4, 2e4, 3, // sees scores of 1e8, 1e8, 2e8
	}
	o, lse, dqkv := make([]float32, 3), make([]float32, 3), make([]float32, 9)
	segs := []token.Segment{{Start: 0, End: 3, Parent: -1}}
	FP32.Attention(o, lse, qkv, segs, h)
	if err := near(o, vec{1, 1.5, 3}, 1e-7); err != nil {
		t.Error("o:", err)
	}
	FP32.AttentionGrad(dqkv, []float32{1, 1, 1}, o, lse, qkv, segs, h)
	for i, v := range dqkv {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			t.Errorf("gradient %d is %v", i, v)
		}
	}
}

// TestNothing: no tokens, no readouts, no keys.
func TestNothing(t *testing.T) {
	h := Heads{2, 1, 4}
	w, dw := make([]float32, 12), []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	FP32.Linear(nil, nil, w, nil, 0, 4, 3)
	FP32.Linear(nil, nil, w, []float32{}, 0, 4, 3)
	FP32.LinearInputGrad(nil, nil, w, 0, 4, 3, false)
	RMSNorm(nil, nil, nil, w, 0, 4, 1)
	FP32.Attention(nil, nil, nil, nil, h)
	FP32.AttentionGrad(nil, nil, nil, nil, nil, nil, h)
	AttentionCached(nil, nil, nil, 0, h)
	StoreCached(nil, nil, 0, h)
	SwiGLU(nil, nil, 0, 4)
	headLogProb(FP32, nil, nil, nil, w, nil, 4, 3)
	headLogProbGrad(FP32, nil, dw, nil, nil, nil, w, nil, 4, 3, true)
	FP32.CrossEntropy(Head{W: w, D: 4, Vocab: 3}, CrossEntropy{DW: dw, Accumulate: true})
	AdamW(nil, nil, nil, nil, Adam{})
	FP32.LinearWeightGrad(dw, nil, nil, 0, 4, 3, true)
	if err := near(dw, vec{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 0); err != nil {
		t.Error("nothing was added:", err)
	}
	FP32.LinearWeightGrad(dw, nil, nil, 0, 4, 3, false)
	if err := near(dw, make(vec, 12), 0); err != nil {
		t.Error("the sum of nothing:", err)
	}
	dw[5] = 1
	headLogProbGrad(FP32, nil, dw, nil, nil, nil, w, nil, 4, 3, false)
	if err := near(dw, make(vec, 12), 0); err != nil {
		t.Error("no readouts:", err)
	}
	dw[5] = 1
	FP32.CrossEntropy(Head{W: w, D: 4, Vocab: 3}, CrossEntropy{DX: []float32{}, DW: dw})
	if err := near(dw, make(vec, 12), 0); err != nil {
		t.Error("no rows:", err)
	}
	RMSNormGrad(NormGrad{DG: dw[:4], G: w, N: 0, D: 4})
}

// scoresComputed counts the scores that Attention computes for segs, and those
// that may be seen.
func scoresComputed(segs []token.Segment, h Heads, n int) (computed, visible int) {
	a := attend(FP32, make([]float32, n*h.QKV()), segs, h)
	defer a.giveBack()
	for _, block := range a.queryBlocks() {
		t := newTile(a)
		t.cover(block)
		t.eachBlock(func(_ *keyPanels, k0, k1 int, _ bool) {
			t.eachRun(k0, k1, func(r0, r1, keys int) { computed += (r1 - r0) * keys * h.KV })
			for r := range t.rows {
				visible += t.visible(r, k0, k1) * h.KV
			}
		})
		t.giveBack()
	}
	return computed, visible
}

// TestWorkIsWhatIsSeen: 64 documents of 32 tokens cost what theory says against
// one of 2,048, a 62nd, but for the scores beside the diagonal; and a response
// pays for its prompt once.
func TestWorkIsWhatIsSeen(t *testing.T) {
	const n = 2048
	h := Heads{4, 2, 16}
	long := []token.Segment{{Start: 0, End: n, Parent: -1}}
	var short []token.Segment
	for i := int32(0); i < n; i += 32 {
		short = append(short, token.Segment{Start: i, End: i + 32, Parent: -1})
	}
	shared := []token.Segment{{Start: 0, End: 1024, Parent: -1}, {Start: 1024, End: 1536, Parent: 0}, {Start: 1536, End: n, Parent: 0}}
	for name, c := range map[string]struct {
		segs  []token.Segment
		pairs int // of a token and a token that it sees
		waste float64
	}{
		"long":   {long, n * (n + 1) / 2, 1.02},
		"short":  {short, 64 * 32 * 33 / 2, 1.5},
		"shared": {shared, 1024*1025/2 + 2*(512*1024+512*513/2), 1.02},
	} {
		computed, visible := scoresComputed(c.segs, h, n)
		if visible != c.pairs*h.Query {
			t.Errorf("%s: %d scores are seen, want %d", name, visible, c.pairs*h.Query)
		}
		if w := float64(computed) / float64(visible); w < 1 || w > c.waste {
			t.Errorf("%s: %.3f scores are computed for each that is seen, want 1 to %g", name, w, c.waste)
		}
	}
}
