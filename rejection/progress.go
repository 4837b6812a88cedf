package rejection

import (
	"math"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data/table"
)

// Progress counts the samples that the run has drawn and scored.
type Progress struct {
	Prompts, All int // prompts with all their samples, and all prompts
	Samples      int
	MeanScore    float64 // mean score of all samples so far
	PickedScore  float64 // mean over prompts of the best complete sample's score, or the best sample's if none is complete
	SamplesPerS  float64 // since the run began or was resumed
	TokensPerS   float64
	Remaining    time.Duration
}

// tally counts the samples of all prompts, in any order.
type tally struct {
	each    int         // number of samples per prompt
	counts  []int       // number of samples of each prompt so far
	best    [][]float64 // for each prompt the score of the best complete sample and of the best truncated one
	prompts int         // prompts with all their samples
	samples int
	sum     float64 // sum of scores

	began  time.Time // start of this session
	before int       // samples at the start of this session
	tokens int       // tokens of this session
}

func newTally(prompts, each int) tally {
	t := tally{each: each, counts: make([]int, prompts), best: make([][]float64, prompts)}
	for i := range t.best {
		t.best[i] = []float64{math.Inf(-1), math.Inf(-1)}
	}
	return t
}

// count counts a sample of prompt i.
func (t *tally) count(i int, c table.Candidate) {
	t.samples++
	t.sum += *c.Score
	t.tokens += len(c.IDs)
	best := &t.best[i][count(c.Finish != sample.Stop)]
	*best = max(*best, *c.Score)
	if t.counts[i]++; t.counts[i] == t.each {
		t.prompts++
	}
}

// begin starts the clock.
func (t *tally) begin() { t.began, t.before, t.tokens = time.Now(), t.samples, 0 }

// progress of a run of all prompts.
func (t *tally) progress() Progress {
	p := Progress{Prompts: t.prompts, All: len(t.counts), Samples: t.samples, MeanScore: t.sum / float64(t.samples)}
	picked, n := 0.0, 0
	for _, best := range t.best {
		for _, score := range best {
			if !math.IsInf(score, -1) {
				picked, n = picked+score, n+1
				break
			}
		}
	}
	p.PickedScore = picked / float64(n)
	took := time.Since(t.began)
	if done := t.samples - t.before; done > 0 {
		p.SamplesPerS, p.TokensPerS = float64(done)/took.Seconds(), float64(t.tokens)/took.Seconds()
		p.Remaining = took / time.Duration(done) * time.Duration(len(t.counts)*t.each-t.samples)
	}
	return p
}

// reportProgress reports the progress of the run.
func (r *session) reportProgress() {
	if r.Report != nil {
		r.Report(r.tally.progress())
	}
}
