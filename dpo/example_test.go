package dpo

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// TestExample: the end of turn counts in the contrast of neither response unless
// it is asked for, and always in the likelihood of the chosen one.
func TestExample(t *testing.T) {
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	format := testmodel.Format(t, tok)
	minus := func(x float64) *float64 { return &x }
	row := table.Preference{
		Prompt:        []chat.Message{{Role: "user", Content: "What is it?"}},
		Chosen:        []chat.Message{{Role: "assistant", Content: "It is a goat."}},
		Rejected:      []chat.Message{{Role: "assistant", Content: "What?"}},
		RefChosenLogP: minus(-7), RefRejectedLogP: minus(-9),
	}
	for _, mask := range []bool{true, false} {
		e, err := Example(format, row, mask)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range e.Responses {
			last := len(r.IDs) - 1
			if r.IDs[last] != tok.EOT() || (r.SeqWeight[last] == 0) != mask {
				t.Errorf("mask %v, response %d: the end of turn counts %v", mask, i, r.SeqWeight[last])
			}
			for k, w := range r.SeqWeight[:last] {
				if w != 1 {
					t.Errorf("mask %v, response %d: token %d counts %v in the contrast", mask, i, k, w)
				}
			}
		}
		var sum float64
		for _, w := range e.Responses[chosen].Weight {
			sum += float64(w)
		}
		if last := len(e.Responses[chosen].Weight) - 1; math.Abs(sum-1) > 1e-6 || e.Responses[chosen].Weight[last] == 0 {
			t.Errorf("likelihood weights sum to %v, the end of turn counts %v", sum, e.Responses[chosen].Weight[last])
		}
		if e.Responses[rejected].Weight != nil {
			t.Error("the rejected response is made likelier")
		}
		if e.Responses[chosen].Reference != -7 || e.Responses[rejected].Reference != -9 {
			t.Errorf("references %v and %v", e.Responses[chosen].Reference, e.Responses[rejected].Reference)
		}
	}
}

// TestReasoning: reasoning counts in the contrast as other words do.
func TestReasoning(t *testing.T) {
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	says := func(thought, text string) []chat.Message {
		return []chat.Message{{Role: "assistant", Reasoning: thought, Content: text}}
	}
	row := table.Preference{Prompt: []chat.Message{{Role: "user", Content: "What is it?"}}, Chosen: says("is it?", "It is."), Rejected: says("what", "What?")}
	for reasoning, counts := range map[template.Reasoning]float32{template.LearnReasoning: 1, template.MaskReasoning: 0} {
		format := testmodel.Format(t, tok).WithReasoning(reasoning)
		e, err := Example(format, row, true)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range e.Responses {
			thought := len(tok.Encode("<think>\n" + []string{"is it?", "what"}[i] + "\n</think>\n\n"))
			for k, w := range r.SeqWeight[:len(r.IDs)-1] {
				if want := map[bool]float32{true: counts, false: 1}[k < thought]; w != want {
					t.Errorf("%s, response %d: token %d, %q, counts %g, want %g", reasoning, i, k, tok.Token(r.IDs[k]), w, want)
				}
			}
		}
	}
}
