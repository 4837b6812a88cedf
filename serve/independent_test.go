package serve

import (
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// TestSeedsAreApart: no two choices of a request share a seed, whatever the prompts are, and a
// seed makes a request come out the same again.
func TestSeedsAreApart(t *testing.T) {
	s := newServer(t, func(s *Settings) { s.Choices = 64 })
	seeds := func(body string) (all []uint64) {
		q, err := understand(s, false, body)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range q.requests {
			all = append(all, r.Seeds...)
		}
		return all
	}
	const body = `{"prompt":["a","a","a","b"],"n":3,"temperature":1`
	all := seeds(body + `,"seed":5}`)
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	if len(all) != 12 || len(slices.Compact(sorted)) != 12 || all[0] != 5 {
		t.Errorf("seeds %v", all)
	}
	if !slices.Equal(all, seeds(body+`,"seed":5}`)) || slices.Equal(seeds(body+`}`), seeds(body+`}`)) {
		t.Error("a seed does not decide, or requests without one are alike")
	}
}

// TestContinue: continue_final_message goes on with the assistant's words, without a new header.
func TestContinue(t *testing.T) {
	s := newServer(t, nil)
	m := s.models[0]
	const messages = `"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"so it"}]`
	q, err := understand(s, true, `{`+messages+`,"continue_final_message":true,"add_generation_prompt":false}`)
	if err != nil {
		t.Fatal(err)
	}
	before, err := m.Format.Prompt([]chat.Message{{Role: chat.User, Content: "hi"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := append(before, m.Tokenizer.Encode("so it")...); !slices.Equal(q.requests[0].Prompt, want) || !q.requests[0].Continues {
		t.Errorf("prompt %v, want %v", q.requests[0].Prompt, want)
	}
	for body, want := range map[string]string{
		`{"messages":[{"role":"user","content":"hi"}],"continue_final_message":true}`:      "the last message is not the assistant's",
		`{` + messages + `,"continue_final_message":true,"add_generation_prompt":true}`:    "a continued message gets no new header",
		`{"messages":[{"role":"user","content":"hi"}],"add_generation_prompt":false}`:      "add_generation_prompt is false",
		`{"messages":[{"role":"assistant","content":"hi"}],"continue_final_message":true}`: "no message before the one to continue",
		`{` + messages + `,"continue_final_message":"yes"}`:                                "expected true or false",
	} {
		if _, err := understand(s, true, body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", body, err, want)
		}
	}
}

// TestTokensOfOneName: of two tokens that are spelt alike, the map of alternatives has the
// likelier.
func TestTokensOfOneName(t *testing.T) {
	m := newServer(t, nil).models[0]
	same := func(a, b float64) float64 {
		tokens := []sample.Token{{ID: 5, LogProb: -9, Top: []sample.Alternative{{ID: 7, LogProb: a}, {ID: 7, LogProb: b}}}}
		l := speller{tok: m.Tokenizer}.text(tokens, 2, new(place))
		return l.Top[0][m.Tokenizer.Token(token.ID(7))]
	}
	if same(-1, -2) != -1 || same(-2, -1) != -1 {
		t.Errorf("%g and %g, want -1", same(-1, -2), same(-2, -1))
	}
}
