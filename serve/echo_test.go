package serve

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample"
)

// TestScorePrompt: echo with logprobs and max_tokens 0 scores a prompt, as lm-evaluation-harness
// asks for it: the first token has no log-probability, and nothing follows.
func TestScorePrompt(t *testing.T) {
	e := newEngine(t, 2)
	m := modelOf(t, "m", e)
	_, at := start(t, nil, m)
	ids := m.Tokenizer.Prompt("the herd moves")
	prompt, _ := json.Marshal(ids)
	post := func(body string) (status int, c struct {
		Choices []struct {
			Text     string
			Finish   string `json:"finish_reason"`
			LogProbs textLogProbs
		}
		Usage struct {
			Answer int `json:"completion_tokens"`
		}
	}, text string) {
		r := post(t, at.URL+"/v1/completions", body)
		defer r.Body.Close()
		var b strings.Builder
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, c, b.String()
	}
	status, got, _ := post(fmt.Sprintf(`{"prompt":%s,"max_tokens":0,"echo":true,"logprobs":1,"temperature":0}`, prompt))
	if status != 200 || len(got.Choices) != 1 {
		t.Fatalf("status %d, %+v", status, got)
	}
	want, err := e.Complete(t.Context(), sample.Request{Prompt: ids, Seeds: []uint64{1}, PromptDetail: true, Settings: sample.Settings{MaxTokens: 1}})
	if err != nil {
		t.Fatal(err)
	}
	l := got.Choices[0].LogProbs
	if len(l.Tokens) != len(ids) || len(l.Top) != len(ids) || l.LogProbs[0] != nil || l.Top[0] != nil || got.Usage.Answer != 0 || got.Choices[0].Finish != "length" {
		t.Errorf("%+v", got)
	}
	if text := m.Tokenizer.DecodeSkipSpecial(ids); got.Choices[0].Text != text || l.Offsets[0] != 0 || l.Offsets[len(ids)-1] >= len(text) {
		t.Errorf("text %q with offsets %v, want %q", got.Choices[0].Text, l.Offsets, text)
	}
	for i, scored := range want[0].Prompt {
		if l.LogProbs[i+1] == nil || math.Abs(*l.LogProbs[i+1]-scored.LogProb) > 1e-9 {
			t.Errorf("token %d has %v, want %g", i+1, l.LogProbs[i+1], scored.LogProb)
		}
	}
	if _, more, _ := post(fmt.Sprintf(`{"prompt":%s,"max_tokens":3,"echo":true,"logprobs":0,"temperature":0,"ignore_eos":true}`, prompt)); len(more.Choices[0].LogProbs.Tokens) != len(ids)+3 {
		t.Errorf("%+v", more)
	}
	for _, bad := range []string{`"max_tokens":0`, `"max_tokens":0,"echo":true,"logprobs":1,"stream":true`, `"max_tokens":-1`} {
		if status, _, _ := post(fmt.Sprintf(`{"prompt":%s,%s}`, prompt, bad)); status != 400 {
			t.Errorf("%s: status %d", bad, status)
		}
	}
}
