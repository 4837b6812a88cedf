package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/sample"
)

// TestResponseFormat: an answer that ends is JSON of the form that was asked for, whole or streamed,
// from chats and completions. Equal schemas share a constraint.
func TestResponseFormat(t *testing.T) {
	server, listening := start(t, nil, modelOf(t, "m", newEngine(t, 8)))
	const schema = `{"type":"object","properties":{"a":{"type":"integer","maximum":9,"minimum":0},"b":{"enum":["x","y"]}},"required":["a","b"]}`
	for _, form := range []string{
		`{"type":"json_schema","json_schema":{"name":"ab","strict":true,"schema":` + schema + `}}`,
		`{"type":"json_object","schema":` + schema + `}`,
	} {
		for _, prompt := range []string{`"messages":[{"role":"user","content":"hi"}]`, `"prompt":"hi"`} {
			path := map[bool]string{true: "/v1/chat/completions", false: "/v1/completions"}[strings.Contains(prompt, "messages")]
			for seed := range 6 {
				body := fmt.Sprintf(`{%s,"response_format":%s,"seed":%d,"max_tokens":80}`, prompt, form, seed)
				status, a := whole(t, listening.URL+path, body)
				if status != 200 || len(a.Choices) != 1 || a.Choices[0].Finish != "stop" {
					t.Fatalf("%s: status %d, %+v", body, status, a)
				}
				text := a.Choices[0].Message.Content + a.Choices[0].Text
				var v struct {
					A *int
					B string
				}
				if err := json.Unmarshal([]byte(text), &v); err != nil || v.A == nil || *v.A < 0 || *v.A > 9 || v.B != "x" && v.B != "y" {
					t.Errorf("%s: %q, error %v", body, text, err)
				}
				r := post(t, listening.URL+path, strings.Replace(body, "{", `{"stream":true,`, 1))
				s, err := readStream(r.Body)
				r.Body.Close()
				if err != nil || len(s.texts) != 1 || s.texts[0] != text || s.finish[0] != "stop" {
					t.Errorf("%s: streamed %q, want %q, error %v", body, s.texts, text, err)
				}
			}
		}
	}
	whole200 := 0
	for seed := range 30 {
		_, a := whole(t, listening.URL+"/v1/completions", fmt.Sprintf(`{"prompt":"hi","response_format":{"type":"json_object"},"seed":%d,"max_tokens":100}`, seed))
		if c := a.Choices[0]; c.Finish == "stop" {
			whole200++
			if !json.Valid([]byte(c.Text)) || !utf8.ValidString(c.Text) || !strings.HasPrefix(strings.TrimSpace(c.Text), "{") {
				t.Errorf("seed %d: %q", seed, c.Text)
			}
		}
	}
	if whole200 < 3 {
		t.Errorf("only %d of 30 answers are whole", whole200)
	}
	if n := len(server.models[0].forms.kept); n != 2 {
		t.Errorf("%d constraints are kept, want 2", n)
	}
	for i := range 9 {
		whole(t, listening.URL+"/v1/completions", fmt.Sprintf(`{"prompt":"hi","max_tokens":1,"response_format":{"type":"json_object","schema":{"const":%d}}}`, i))
	}
	if n := len(server.models[0].forms.kept); n != maxForms {
		t.Errorf("%d constraints are kept, want %d", n, maxForms)
	}
}

// TestFormatBehindThought: a model whose prompt begins a thought thinks before it answers in JSON.
func TestFormatBehindThought(t *testing.T) {
	tok, err := newTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	says := map[string]bool{}
	e := fake{complete: func(_ context.Context, r sample.Request) ([]sample.Completion, error) {
		for text := range says {
			state, possible := r.Constraint.Begin(), true
			for _, id := range tok.Encode(text) {
				words, _, err := state.Allowed()
				if err != nil || words == nil || words[id/64]>>(id%64)&1 == 0 {
					possible = false
					break
				}
				state = state.Next(id)
			}
			if says[text] = false; possible {
				_, says[text], _ = state.Allowed()
			}
		}
		return []sample.Completion{{Finish: sample.Stop}}, nil
	}}
	_, listening := start(t, nil, modelOf(t, "m", e))
	for prompt, want := range map[string]map[string]bool{
		`hi<think>\n`: {"null": false, "hm</think>\n\nnull": true, "</think>1": false},
		`hi<think>`:   {"null": false, "hm</think>null": true},
		`<think>hi`:   {"null": true, "hm</think>null": false},
	} {
		says = maps.Clone(want)
		if status, a := whole(t, listening.URL+"/v1/completions", `{"prompt":"`+prompt+`","response_format":{"type":"json_object","schema":{"type":"null"}}}`); status != 200 || !maps.Equal(says, want) {
			t.Errorf("%q: the answers %v are possible, want %v; status %d, %v", prompt, says, want, status, a.Error)
		}
	}
}
