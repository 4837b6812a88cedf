package kernel

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// headLogProb and headLogProbGrad are the kernels with scratch of their own.
func headLogProb(f Precision, logp, lse, x, w []float32, target []token.ID, d, vocab int) {
	f.HeadLogProb(logp, lse, unset(HeadLogProbScratch(len(target), vocab)), Head{X: x, W: w, Target: target, D: d, Vocab: vocab})
}

func headLogProbGrad(f Precision, dx, dw, dlogp, lse, x, w []float32, target []token.ID, d, vocab int, accumulate bool) {
	f.HeadLogProbGrad(Head{X: x, W: w, Target: target, D: d, Vocab: vocab}, HeadGrad{DX: dx, DW: dw, Scratch: unset(HeadLogProbGradScratch(len(target), d, vocab)), DLogP: dlogp, LSE: lse, Accumulate: accumulate})
}

// TestHeadScratch: scratch for many rows is enough for fewer.
func TestHeadScratch(t *testing.T) {
	for _, vocab := range []int{1, 300, 512, 4096, 128256} {
		for r := 0; r <= 5000; r++ {
			if need := r * LogitRow(chunkOf(r, vocab)); need > HeadLogProbScratch(r, vocab) {
				t.Fatalf("%d rows of %d logits at a time do not fit into %d", r, chunkOf(r, vocab), HeadLogProbScratch(r, vocab))
			}
			if HeadLogProbScratch(r, vocab) > HeadLogProbScratch(r+1, vocab) {
				t.Fatalf("%d rows of %d need more scratch than %d", r, vocab, r+1)
			}
		}
	}
}

// TestHeadChunks: many readouts take the vocabulary in chunks, one takes it
// whole. Values agree bit for bit, gradients to rounding.
func TestHeadChunks(t *testing.T) {
	const r, d, vocab = 4096, 3, 1100
	if chunkOf(r, vocab) == vocab || chunkOf(1, vocab) != vocab {
		t.Fatal("the sizes no longer differ in their chunks")
	}
	rng := newRand(15)
	x, w, dlogp := random(rng, r*d), random(rng, vocab*d), random(rng, r)
	target := make([]token.ID, r)
	for i := range target {
		target[i] = token.ID(rng.IntN(vocab))
	}
	logp, lse, dx, dw := make([]float32, r), make([]float32, r), make([]float32, r*d), make([]float32, vocab*d)
	headLogProb(FP32, logp, lse, x, w, target, d, vocab)
	headLogProbGrad(FP32, dx, dw, dlogp, lse, x, w, target, d, vocab, false)

	one, oneDx, sum := make([]float32, 2), make([]float32, d), make([]float32, vocab*d)
	for i := range r {
		headLogProb(FP32, one[:1], one[1:], x[i*d:], w, target[i:i+1], d, vocab)
		if err := same(one, []float32{logp[i], lse[i]}); err != nil {
			t.Fatalf("readout %d: %v", i, err)
		}
		headLogProbGrad(FP32, oneDx, sum, dlogp[i:], lse[i:], x[i*d:], w, target[i:i+1], d, vocab, true)
		if err := near(oneDx, widen(dx[i*d:][:d]), 1e-5); err != nil {
			t.Fatalf("gradient %d: %v", i, err)
		}
	}
	if err := near(dw, widen(sum), 1e-5); err != nil {
		t.Error("gradient of the weights:", err)
	}
}

// TestHeadExtremes: logits of ±1e4 neither overflow nor lose the answer.
func TestHeadExtremes(t *testing.T) {
	w := []float32{1, -1, 0, 1}
	logp, lse := make([]float32, 4), make([]float32, 4)
	headLogProb(FP32, logp, lse, []float32{1e4, 1e4, -1e4, 0}, w, []token.ID{0, 1, 1, 2}, 1, 4)
	if err := near(logp, vec{-math.Ln2, -2e4 - math.Ln2, 0, -math.Log(4)}, 1e-7); err != nil {
		t.Error(err)
	}
}

// TestHeadSkips: readouts without a gradient have no influence, NaN or not.
func TestHeadSkips(t *testing.T) {
	rng := newRand(6)
	const d, vocab = 7, 30
	x, w := random(rng, 3*d), random(rng, vocab*d)
	target := []token.ID{4, 29, 0}
	logp, lse := make([]float32, 3), make([]float32, 3)
	headLogProb(FP32, logp, lse, x, w, target, d, vocab)
	all, some := random(rng, 3*d), random(rng, 3*d)
	dw, dwSome := make([]float32, vocab*d), make([]float32, vocab*d)
	headLogProbGrad(FP32, all, dw, []float32{2, 0, -1}, lse, x, w, target, d, vocab, false)
	x[d], lse[1] = nan(), nan()
	headLogProbGrad(FP32, some, dwSome, []float32{2, 0, -1}, lse, x, w, target, d, vocab, false)
	if err := same(all, some); err != nil {
		t.Error(err)
	}
	if err := same(dw, dwSome); err != nil {
		t.Error(err)
	}
	headLogProbGrad(FP32, some, nil, make([]float32, 3), lse, x, w, target, d, vocab, false)
	if err := near(some, make(vec, 3*d), 0); err != nil {
		t.Error("nothing to do:", err)
	}
}
