package dpo

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// TestMetrics: a reward is beta times what the policy gained over the reference, and a pair is right
// if the chosen response has the larger one. Equal rewards are not right.
func TestMetrics(t *testing.T) {
	var m train.Meter
	b := &token.Batch{
		Reference: []float32{-5, -7, -4, -4},
		Pairs:     []token.Pair{{Chosen: 0, Rejected: 1}, {Chosen: 3, Rejected: 2}},
	}
	Metrics(0.5)(b, &model.Result{SeqLogProb: []float32{-1, -9, -2, -2}}, &m)
	want := map[string]float64{
		"logps/chosen": (-1 - 2) / 2., "logps/rejected": (-9 - 2) / 2.,
		"rewards/chosen": (2 + 1) / 2., "rewards/rejected": (-1 + 1) / 2.,
		"rewards/margins": (3 + 0) / 2., "rewards/accuracies": (1 + 0) / 2.,
	}
	got := m.Means()
	for name, x := range want {
		if math.Abs(got[name]-x) > 1e-12 {
			t.Errorf("%s is %g, want %g", name, got[name], x)
		}
	}
	if len(got) != len(want) {
		t.Errorf("metrics %v", got)
	}
}

// TestMessageWeights: the contrast counts a token as its message does. The likelihood is the mean
// under these weights, so a row counts 1 whatever they are, and 0 leaves a message out of both.
func TestMessageWeights(t *testing.T) {
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	quarter, none := 0.25, 0.
	say := func(text string, w *float64) chat.Message {
		return chat.Message{Role: "assistant", Content: text, Weight: w}
	}
	ask := chat.Message{Role: "user", Content: "What is it?"}
	row := table.Preference{
		Prompt:   []chat.Message{ask},
		Chosen:   []chat.Message{say("It is a goat.", &quarter), ask, say("It is.", &none), ask, say("a goat", nil)},
		Rejected: []chat.Message{say("What?", &quarter)},
	}
	e, err := Example(testmodel.Format(t, tok), row, false)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[float32]int)
	var sum float64
	for _, w := range e.Responses[chosen].SeqWeight {
		counts[w]++
		sum += float64(w)
	}
	if counts[0.25] == 0 || counts[1] == 0 || counts[0] == 0 || len(counts) != 3 {
		t.Errorf("the contrast has the weights %v, want 0.25, 1 and 0", counts)
	}
	for i, w := range e.Responses[chosen].Weight {
		if want := float64(e.Responses[chosen].SeqWeight[i]) / sum; math.Abs(float64(w)-want) > 1e-6 {
			t.Errorf("token %d counts %g in the likelihood, want %g", i, w, want)
		}
	}
	for i, w := range e.Responses[rejected].SeqWeight {
		if w != 0.25 {
			t.Errorf("rejected token %d counts %g", i, w)
		}
	}
}

// TestValidate: beta 0 has no contrast, and nll_weight 0 is the default.
func TestValidate(t *testing.T) {
	s := fixture(t)
	for _, c := range []struct {
		beta, nll float64
		ok        bool
	}{{0.1, 0, true}, {0.1, 1, true}, {0, 0, false}, {math.NaN(), 0, false}, {0.1, -1, false}, {0.1, math.NaN(), false}} {
		if s.Beta, s.NLLWeight = c.beta, c.nll; (s.Validate() == nil) != c.ok {
			t.Errorf("beta %g, nll_weight %g: %v", c.beta, c.nll, s.Validate())
		}
	}
}
