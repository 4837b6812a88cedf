package kernel

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// pass is a call of CrossEntropy with its operands and results.
type pass struct {
	r, d, vocab     int
	x, w, weight    []float32
	target          []token.ID
	logp, dx, dw    []float32
	loss            float64
	atATime         int
	frozen, forward bool
}

func newPass(seed uint64, r, d, vocab int) *pass {
	rng := newRand(seed)
	p := &pass{r: r, d: d, vocab: vocab, x: random(rng, r*d), w: random(rng, vocab*d), weight: random(rng, r), target: make([]token.ID, r), atATime: r}
	for i := range p.target {
		p.target[i] = token.ID(rng.IntN(vocab))
	}
	return p
}

// run computes into memory that holds something else.
func (p *pass) run() *pass {
	p.logp, p.dx, p.dw = unset(p.r), unset(p.r*p.d), unset(p.vocab*p.d)
	dx, dw := p.dx, p.dw
	if p.frozen {
		dw = nil
	}
	if p.forward {
		dx = nil
	}
	p.loss = FP32.CrossEntropy(Head{X: p.x, W: p.w, Target: p.target, D: p.d, Vocab: p.vocab}, CrossEntropy{LogP: p.logp, DX: dx, DW: dw, Logits: unset(p.atATime * LogitRow(p.vocab)), Weight: p.weight})
	return p
}

// apart computes the same with the head's log-probability and its gradient.
func (p *pass) apart() *pass {
	q := *p
	lse, dlogp := make([]float32, p.r), make([]float32, p.r)
	q.logp, q.dx, q.dw, q.loss = make([]float32, p.r), make([]float32, p.r*p.d), make([]float32, p.vocab*p.d), 0
	headLogProb(FP32, q.logp, lse, p.x, p.w, p.target, p.d, p.vocab)
	for i, weight := range p.weight {
		dlogp[i] = -weight
		q.loss -= float64(weight) * float64(q.logp[i])
	}
	headLogProbGrad(FP32, q.dx, q.dw, dlogp, lse, p.x, p.w, p.target, p.d, p.vocab, false)
	return &q
}

// compare lists the differences from q.
func (p *pass) compare(q *pass) (errs []error) {
	for _, c := range []struct {
		what      string
		got, want []float32
	}{{"log-probabilities", p.logp, q.logp}, {"dx", p.dx, q.dx}, {"dw", p.dw, q.dw}, {"loss", []float32{float32(p.loss)}, []float32{float32(q.loss)}}} {
		if err := wrap(c.what, near(c.got, widen(c.want), 2e-6)); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// TestCrossEntropyIsHeadLogProb compares one pass with two, over a vocabulary of
// several runs, rows taken at a time in several ways, and rows without weight at
// either end of some of them or in all of one.
func TestCrossEntropyIsHeadLogProb(t *testing.T) {
	for _, without := range [][]int{nil, {0, 9, 20}, {9}, {7, 8, 9, 10, 11, 12, 13}} {
		for _, atATime := range []int{21, 7, 10, 1} {
			p := newPass(20, 21, 30, 1300)
			p.atATime = atATime
			for _, i := range without {
				p.weight[i] = 0
			}
			want := p.apart()
			for _, err := range p.run().compare(want) {
				t.Errorf("%d at a time, without weight %v: %v", atATime, without, err)
			}
			p.weight[1] += 1e-3
			if len(p.run().compare(want)) != 3 {
				t.Error("a weight that is wrong by 0.001 goes unnoticed in the gradients or the loss")
			}
		}
	}
}

// TestCrossEntropyRowsAlone: a row's results depend on it alone, bit for bit.
func TestCrossEntropyRowsAlone(t *testing.T) {
	eachThreads(t, func(t *testing.T) {
		p := newPass(21, 61, 40, 1100)
		p.weight[3], p.weight[60] = 0, 0
		p.run()
		for _, atATime := range []int{1, 17} {
			q := *p
			q.atATime = atATime
			q.run()
			if err := same(q.logp, p.logp); err != nil {
				t.Errorf("%d at a time: log-probabilities: %v", atATime, err)
			}
			if err := same(q.dx, p.dx); err != nil {
				t.Errorf("%d at a time: dx: %v", atATime, err)
			}
		}
	})
}

// TestCrossEntropySkips: results that are not asked for are not written, and leaving them
// out changes nothing else.
func TestCrossEntropySkips(t *testing.T) {
	p := newPass(22, 9, 6, 50)
	p.weight[4], p.atATime = 0, 5
	p.run()
	frozen, forward := *p, *p
	frozen.frozen, forward.forward = true, true
	frozen.run()
	forward.run()
	for what, err := range map[string]error{
		"frozen logp": same(frozen.logp, p.logp), "frozen dx": same(frozen.dx, p.dx), "frozen dw": same(frozen.dw, unset(len(p.dw))),
		"forward logp": same(forward.logp, p.logp), "forward dx": same(forward.dx, unset(len(p.dx))), "forward dw": same(forward.dw, unset(len(p.dw))),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if frozen.loss != p.loss || forward.loss != p.loss {
		t.Errorf("losses %v, %v frozen, %v forward", p.loss, frozen.loss, forward.loss)
	}

	// A row without weight has no influence on the gradients, NaN or not.
	q := *p
	q.x = append([]float32(nil), p.x...)
	q.x[4*q.d] = nan()
	q.run()
	if err := same(q.dw, p.dw); err != nil {
		t.Error("dw of a row without weight:", err)
	}
	if err := same(q.dx, p.dx); err != nil {
		t.Error("dx of a row without weight:", err)
	}
	q.weight[4] = 1
	if same(q.run().dw, p.dw) == nil {
		t.Error("NaN in a row with weight goes unnoticed")
	}
}

// TestCrossEntropyExtremes: logits of ±1e4 neither overflow nor lose the answer,
// wherever in the vocabulary the largest is.
func TestCrossEntropyExtremes(t *testing.T) {
	const vocab = 3 * logitsRun
	w := make([]float32, vocab)
	w[vocab-1] = 1
	logp, dx, dw := make([]float32, 4), make([]float32, 4), make([]float32, vocab)
	FP32.CrossEntropy(Head{X: []float32{1e4, 1e4, -1e4, 0}, W: w, Target: []token.ID{vocab - 1, 0, 1, 2}, D: 1, Vocab: vocab}, CrossEntropy{LogP: logp, DX: dx, DW: dw, Logits: make([]float32, 4*LogitRow(vocab)), Weight: []float32{1, 1, 1, 2}})
	if err := near(logp, vec{0, -1e4, -math.Log(vocab - 1), -math.Log(vocab)}, 1e-7); err != nil {
		t.Error(err)
	}
	// dx = p[vocab-1] − [the target is vocab-1]
	if err := near(dx, vec{0, 1, 0, 2. / vocab}, 1e-7); err != nil {
		t.Error("dx:", err)
	}
	// The second row is sure of vocab-1 where it should be 0; the third, whose x
	// is negative, spreads over all others where it should be 1.
	const spread = 1e4 / (vocab - 1.)
	if err := near([]float32{dw[vocab-1], dw[0], dw[1], dw[2]}, vec{1e4, -1e4 - spread, 1e4 - spread, -spread}, 1e-7); err != nil {
		t.Error("dw:", err)
	}
}

// TestCrossEntropyScratch: rows at a time are limited in number and in logits.
func TestCrossEntropyScratch(t *testing.T) {
	for _, c := range []struct{ r, vocab, rows int }{
		{0, 100, 0}, {1, 100, 1}, {1024, 100, 1024}, {5000, 100, 1024}, {5000, 4096, 1024}, {5000, 1 << 14, 1024},
		{5000, 1 << 15, 1024}, {300, 1 << 15, 300}, {5000, 128256, 523}, {5000, 1 << 20, 128}, {3, 1 << 20, 3},
	} {
		if got := CrossEntropyScratch(c.r, c.vocab); got != c.rows*LogitRow(c.vocab) {
			t.Errorf("%d rows of %d: scratch for %v rows, want %d", c.r, c.vocab, float64(got)/float64(c.vocab), c.rows)
		}
	}
}
