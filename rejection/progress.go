package rejection

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data/table"
)

// Progress counts the samples that the run has drawn and scored.
type Progress struct {
	Prompts, All int // prompts with all their samples, and all prompts
	Samples      int
	MeanScore    float64 // mean score of all samples so far
	PickedScore  float64 // mean score of the responses picked so far; 0 if there are none
	SamplesPerS  float64 // since the run began or was resumed
	TokensPerS   float64
	Remaining    time.Duration
}

// tally counts the samples of all prompts, in any order.
type tally struct {
	each     int   // number of samples per prompt
	counts   []int // number of samples of each prompt so far
	pick     Pick
	pickable [][]table.Candidate // for each prompt the samples so far that pick allows, see stub
	picked   [][]float64         // for each prompt the scores of those that it picks
	prompts  int                 // prompts with all their samples
	samples  int
	sum      float64 // sum of scores

	began  time.Time // start of this session
	before int       // samples at the start of this session
	tokens int       // tokens of this session
}

func newTally(prompts, each int, pick Pick) tally {
	return tally{each: each, pick: pick, counts: make([]int, prompts), pickable: make([][]table.Candidate, prompts), picked: make([][]float64, prompts)}
}

// count counts a sample of prompt i.
func (t *tally) count(i int, c table.Candidate) {
	t.samples++
	t.sum += *c.Score
	t.tokens += len(c.IDs)
	t.choose(i, c)
	if t.counts[i]++; t.counts[i] == t.each {
		t.prompts++
	}
}

// choose updates what is picked for prompt i.
func (t *tally) choose(i int, c table.Candidate) {
	if !t.pick.allows(c) {
		return
	}
	t.pickable[i] = append(t.pickable[i], stub(c))
	t.picked[i] = t.picked[i][:0]
	all := t.pick
	all.MinTokens, all.MaxTokens = 0, 0 // stubs have no length
	for _, k := range all.choose(t.pickable[i]) {
		t.picked[i] = append(t.picked[i], *t.pickable[i][k].Score)
	}
}

// stub returns what the choice among allowed candidates needs: the score, and a hash in place of
// the text.
func stub(c table.Candidate) table.Candidate {
	hash := sha256.Sum256([]byte(strings.TrimSpace(c.Text)))
	score := *c.Score
	return table.Candidate{Score: &score, Text: hex.EncodeToString(hash[:8]), Finish: sample.Stop}
}

// begin starts the clock.
func (t *tally) begin() { t.began, t.before, t.tokens = time.Now(), t.samples, 0 }

// progress of a run of all prompts.
func (t *tally) progress() Progress {
	p := Progress{Prompts: t.prompts, All: len(t.counts), Samples: t.samples, MeanScore: t.sum / float64(t.samples)}
	picked, n := 0.0, 0
	for _, scores := range t.picked {
		for _, score := range scores {
			picked, n = picked+score, n+1
		}
	}
	if n > 0 {
		p.PickedScore = picked / float64(n)
	}
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
