package engine

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
)

// TestPromptDetail: the log-probabilities of a prompt are those that the training graph gives,
// however long it is, beside other requests, when a prompt is cached, and with little memory. What
// is drawn does not change.
func TestPromptDetail(t *testing.T) {
	p := newModel(t, 800, nil)
	rng := rand.New(rand.NewPCG(5, 5))
	long := randomIDs(rng, 700)
	prompts := [][]token.ID{long, long[:300], long, {7}, {7, 8}, randomIDs(rng, 129), long[:257]}
	request := func(i int, detail bool) sample.Request {
		return sample.Request{
			Prompt: prompts[i], Seeds: []uint64{1, 2}, PromptDetail: detail, Top: 2,
			Settings: sample.Settings{Temperature: 1, MaxTokens: 3},
		}
	}
	for _, memory := range []int64{0, 1 << 19} {
		e := engineOf(t, p, Options{Slots: 4, Memory: memory})
		var requests, plain []sample.Request
		for i := range prompts {
			requests = append(requests, request(i, i != 2))
			plain = append(plain, request(i, false))
		}
		got, want := generate(t, e, requests), generate(t, engineOf(t, p, Options{Slots: 4}), plain)
		for i, ids := range prompts {
			var reference []float32
			if len(ids) > 1 && i != 2 {
				all, err := score.LogProbs(t.Context(), p, []pack.Example{pack.Text("", ids)}, score.MicroTokens)
				if err != nil {
					t.Fatal(err)
				}
				reference = all[0]
			}
			for k, c := range got[i] {
				if len(c.Prompt) != len(reference) {
					t.Fatalf("prompt %d: %d tokens are scored, want %d", i, len(c.Prompt), len(reference))
				}
				for at, scored := range c.Prompt {
					if scored.ID != ids[at+1] || math.Abs(scored.LogProb-float64(reference[at])) > 1e-4 || len(scored.Top) != 2 {
						t.Fatalf("prompt %d, token %d: %+v, want %d with %g", i, at+1, scored, ids[at+1], reference[at])
					}
				}
				if math.Abs(c.LogProb-want[i][k].LogProb) > 1e-6 {
					t.Errorf("prompt %d: what is drawn changed", i)
				}
			}
		}
	}
}
