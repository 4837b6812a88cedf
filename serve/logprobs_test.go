package serve

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// TestLogProbs compares the log-probabilities of chats and completions, whole and streamed,
// with their JSON written out. é is two tokens, and one alternative has probability 0.
func TestLogProbs(t *testing.T) {
	tok, err := newTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	e, a := tok.Encode("é"), tok.Encode("a")[0]
	if len(e) != 2 {
		t.Fatalf("é is %v", e)
	}
	tokens := []sample.Token{
		{ID: e[0], LogProb: -1, Top: []sample.Alternative{{ID: a, LogProb: -0.5}, {ID: e[0], LogProb: -1}}},
		{ID: e[1], LogProb: -2, Top: []sample.Alternative{{ID: e[1], LogProb: -2}, {ID: a, LogProb: math.Inf(-1)}}},
		{ID: a, LogProb: -3, Top: []sample.Alternative{{ID: e[0], LogProb: -1}, {ID: e[1], LogProb: -2}}},
	}
	engine := fake{complete: func(_ context.Context, r sample.Request) ([]sample.Completion, error) {
		r.Stream(0, sample.Delta{Tokens: tokens[:1]})
		r.Stream(0, sample.Delta{Text: "é", Tokens: tokens[1:2]})
		r.Stream(0, sample.Delta{Text: "a", Tokens: tokens[2:], Finish: sample.Stop})
		return []sample.Completion{{IDs: []token.ID{e[0], e[1], a}, Text: "éa", Finish: sample.Stop, Tokens: tokens}}, nil
	}}
	_, at := start(t, nil, modelOf(t, "m", engine))
	const first = `{"token":"bytes:\\xc3","logprob":-1,"bytes":[195],"top_logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]},{"token":"bytes:\\xc3","logprob":-1,"bytes":[195]}]}`
	const second = `{"token":"bytes:\\xa9","logprob":-2,"bytes":[169],"top_logprobs":[{"token":"bytes:\\xa9","logprob":-2,"bytes":[169]},{"token":"a","logprob":-9999,"bytes":[97]}]}`
	for _, c := range []struct {
		path, body string
		want       []string
	}{
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":2`, []string{
			`"logprobs":{"content":[` + first + `,` + second + `,{"token":"a"`, `"refusal":null},"finish_reason":"stop"`,
		}},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"x"}],"stream":true,"logprobs":true,"top_logprobs":2`, []string{
			`"delta":{},"logprobs":{"content":[` + first + `],"refusal":null},"finish_reason":null}]`,
			`"delta":{"content":"é"},"logprobs":{"content":[` + second + `],"refusal":null},"finish_reason":null}]`,
			`"finish_reason":"stop"}]`,
		}},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"x"}]`, []string{`"message":{"role":"assistant","content":"éa","refusal":null},"logprobs":null`}},
		{"/v1/completions", `{"prompt":"x","logprobs":2`, []string{
			`"tokens":["bytes:\\xc3","bytes:\\xa9","a"],"token_logprobs":[-1,-2,-3]`,
			`"top_logprobs":[{"a":-0.5,"bytes:\\xc3":-1},{"a":-9999,"bytes:\\xa9":-2},{"a":-3,"bytes:\\xa9":-2,"bytes:\\xc3":-1}],"text_offset":[0,0,1]`,
		}},
		{"/v1/completions", `{"prompt":"x","logprobs":0,"stream":true`, []string{
			`"text":"","logprobs":{"tokens":["bytes:\\xc3"],"token_logprobs":[-1],"top_logprobs":null,"text_offset":[0]}`, `"text_offset":[1]},"finish_reason":"stop"`,
		}},
		{"/v1/completions", `{"prompt":"x","logprobs":0,"return_tokens_as_token_ids":true`, []string{fmt.Sprintf(`"tokens":["token_id:%d","token_id:%d","token_id:%d"]`, e[0], e[1], a)}},
	} {
		got := text(t, at.URL+c.path, c.body+"}")
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s}: no %s in\n%s", c.body, want, got)
			}
		}
	}
}

// TestUsage checks that each prompt counts once, and each answer with its own tokens.
func TestUsage(t *testing.T) {
	_, at := start(t, nil, modelOf(t, "m", saying(nil, 1, 2, 3)))
	status, a := whole(t, at.URL+"/v1/completions", `{"prompt":[[1,2],[3]],"n":2}`)
	if status != http.StatusOK || a.Usage.Prompt != 3 || a.Usage.Answer != 12 || a.Usage.Total != 15 {
		t.Errorf("%+v", a.Usage)
	}
}

// TestRetry checks that a header tells clients not to repeat a hopeless request.
func TestRetry(t *testing.T) {
	_, at := start(t, nil, modelOf(t, "m", saying(func(context.Context) error { return context.DeadlineExceeded }, 1)))
	r := post(t, at.URL+"/v1/completions", `{"prompt":"a"}`)
	r.Body.Close()
	if r.StatusCode != http.StatusInternalServerError || r.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}
