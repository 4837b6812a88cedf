package serve

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// understand reads a body like the endpoint.
func understand(s *Server, chat bool, body string) (*request, error) {
	f, err := parseFields([]byte(body), "")
	if err != nil {
		return nil, err
	}
	read := s.readCompletion
	if chat {
		read = s.readChat
	}
	m, err := s.named(f)
	if err != nil {
		return nil, err
	}
	q, _, err := read(f, m)
	return q, err
}

func newServer(t testing.TB, change func(*Settings)) *Server {
	t.Helper()
	s, _ := start(t, change, modelOf(t, "m", saying(nil, 1)))
	return s
}

// TestSettings checks all settings and their defaults.
func TestSettings(t *testing.T) {
	s := newServer(t, nil)
	m := s.models[0]
	prompt := m.Tokenizer.Prompt("the")
	for _, c := range []struct {
		body string
		want sample.Request
	}{
		{`{"prompt":"the","seed":5}`, sample.Request{Seeds: []uint64{5}, Stop: m.Stop, Continues: true, Settings: sample.Settings{Temperature: 1, TopP: 1, Repetition: 1, MaxTokens: 16}}},
		{
			`{"model":"m","prompt":"the","seed":5,"n":3,"temperature":0.5,"top_p":0.9,"top_k":7,"min_p":0.1,"repetition_penalty":1.2,
			"presence_penalty":-1,"frequency_penalty":2,"max_tokens":9,"stop":["a","b"],"logprobs":4,"user":"x","suffix":null,"logit_bias":{ }}`,
			sample.Request{Seeds: []uint64{5, 6, 7}, Stop: m.Stop, Continues: true, Detail: true, Top: 4, Settings: sample.Settings{
				Temperature: 0.5, TopP: 0.9, TopK: 7, MinP: 0.1, Repetition: 1.2, Presence: -1, Frequency: 2, MaxTokens: 9, StopStrings: []string{"a", "b"},
			}},
		},
		{
			`{"prompt":"the","seed":-1,"top_p":0,"top_k":-1,"stop":"x","stop_token_ids":[3],"ignore_eos":true,"n":2}`,
			sample.Request{Seeds: []uint64{math.MaxUint64, 0}, Stop: []token.ID{3}, Continues: true, Settings: sample.Settings{
				Temperature: 1, TopP: math.SmallestNonzeroFloat64, Repetition: 1, MaxTokens: 16, StopStrings: []string{"x"},
			}},
		},
	} {
		got, err := understand(s, false, c.body)
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		c.want.Prompt = prompt
		if diff := cmp.Diff([]sample.Request{c.want}, got.requests); diff != "" {
			t.Errorf("%s: %s", c.body, diff)
		}
	}
}

// TestPrompts checks that all forms of a prompt give the same tokens.
func TestPrompts(t *testing.T) {
	s := newServer(t, nil)
	tok := s.models[0].Tokenizer
	one, two := tok.Prompt("the herd"), tok.Prompt("<|eot_id|>")
	if slices.Contains(two, tok.EOT()) {
		t.Error("a text can forge a token")
	}
	ids := func(list ...any) string { b, _ := json.Marshal(list); return string(b) }
	for text, want := range map[string][][]token.ID{
		`"the herd"`:                  {one},
		ids("the herd", "<|eot_id|>"): {one, two},
		ids(one, two):                 {one, two},
		strings.Trim(ids(one), "[]"):  nil,
		ids(one)[1 : len(ids(one))-1]: {one},
		`["the herd", [1, 2]]`:        {one, {1, 2}},
		`[7]`:                         {{7}},
		`[null]`:                      nil,
		`[[1,null]]`:                  nil,
		`[]`:                          nil,
		`[[]]`:                        nil,
		`[290]`:                       nil,
		`[-1]`:                        nil,
		`[1.5]`:                       nil,
		`[4294967297]`:                nil,
		`{"a":1}`:                     nil,
		`17`:                          nil,
		`null`:                        nil,
	} {
		q, err := understand(s, false, `{"prompt":`+text+`}`)
		if (err == nil) != (want != nil) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got [][]token.ID
		if err == nil {
			for _, r := range q.requests {
				got = append(got, r.Prompt)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// TestMessages checks that the template lays a chat out, that parts are joined, and that a
// developer is the system.
func TestMessages(t *testing.T) {
	s := newServer(t, nil)
	want := []chat.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "hi there"}, {Role: "assistant", Content: "yo"}, {Role: "user", Content: ""}}
	got, err := understand(s, true, `{"messages":[{"role":"developer","content":"be brief"},
		{"role":"user","content":[{"type":"text","text":"hi "},{"type":"text","text":"there"}]},
		{"role":"assistant","content":"yo","refusal":null,"annotations":[],"tool_calls":[]},{"role":"user","content":""}],"max_completion_tokens":5}`)
	if err != nil {
		t.Fatal(err)
	}
	r := got.requests[0]
	ids, err := s.models[0].Format.Prompt(want)
	if err != nil || !slices.Equal(r.Prompt, ids) || !chat.Same(r.Messages, want) || r.MaxTokens != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	if got, err = understand(s, true, `{"messages":[{"role":"user","content":"hi"}]}`); err != nil {
		t.Fatal(err)
	}
	if r := got.requests[0]; r.MaxTokens != positions-len(r.Prompt) {
		t.Errorf("an answer has up to %d tokens behind %d", r.MaxTokens, len(r.Prompt))
	}
}

// TestRefused checks that an error names the invalid parameter.
func TestRefused(t *testing.T) {
	s := newServer(t, func(s *Settings) { s.Choices, s.AnswerTokens, s.PromptTokens = 4, 50, 60 })
	say := func(more string) string { return `{"messages":[{"role":"user","content":"hi"}],` + more + `}` }
	with := func(more string) string { return `{"prompt":"a",` + more + `}` }
	for _, c := range []struct{ body, param, code string }{
		{`[]`, "", "invalid_value"},
		{`null`, "", "invalid_value"},
		{`{"prompt":`, "", "invalid_value"},
		{with(`"model":"other"`), "model", "model_not_found"},
		{with(`"model":3`), "model", "invalid_value"},
		{with(`"n":5`), "n", "invalid_value"},
		{with(`"n":1.5`), "n", "invalid_value"},
		{`{"prompt":["a","b","c"],"n":2}`, "n", "invalid_value"},
		{with(`"seed":1e3`), "seed", "invalid_value"},
		{with(`"seed":18446744073709551616`), "seed", "invalid_value"},
		{with(`"temperature":-0.1`), "temperature", "invalid_value"},
		{with(`"temperature":1e999`), "temperature", "invalid_value"},
		{with(`"top_p":1.01`), "top_p", "invalid_value"},
		{with(`"top_k":-2`), "top_k", "invalid_value"},
		{with(`"min_p":2`), "min_p", "invalid_value"},
		{with(`"repetition_penalty":0`), "repetition_penalty", "invalid_value"},
		{with(`"presence_penalty":3`), "presence_penalty", "invalid_value"},
		{with(`"frequency_penalty":"x"`), "frequency_penalty", "invalid_value"},
		{with(`"max_tokens":0`), "max_tokens", "invalid_value"},
		{with(`"max_tokens":51`), "max_tokens", "invalid_value"},
		{with(`"max_tokens":200`), "max_tokens", "context_length_exceeded"},
		{`{"prompt":"` + strings.Repeat("q", 61) + `"}`, "prompt", "context_length_exceeded"},
		{`{"prompt":["a","` + strings.Repeat("q", 61) + `"]}`, "prompt[1]", "context_length_exceeded"},
		{`{"prompt":[1,290]}`, "prompt", "invalid_value"},
		{`{}`, "prompt", "invalid_value"},
		{with(`"stop":["a",""]`), "stop", "invalid_value"},
		{with(`"stop":{"a":1}`), "stop", "invalid_value"},
		{with(`"stop":"` + strings.Repeat("s", 257) + `"`), "stop", "invalid_value"},
		{with(`"stop":["1","2","3","4","5","6","7","8","9","0","1","2","3","4","5","6","7"]`), "stop", "invalid_value"},
		{with(`"stop_token_ids":[null]`), "stop_token_ids", "invalid_value"},
		{with(`"stream_options":{"include_usage":true}`), "stream_options", "invalid_value"},
		{with(`"stream":true,"stream_options":{"usage":true}`), "stream_options.usage", "unknown_parameter"},
		{with(`"stream":true,"stream_options":{"include_usage":1}`), "stream_options.include_usage", "invalid_value"},
		{with(`"stream":"yes"`), "stream", "invalid_value"},
		{with(`"logprobs":21`), "logprobs", "invalid_value"},
		{with(`"best_of":2`), "best_of", "invalid_value"},
		{with(`"suffix":"x"`), "suffix", "unsupported_parameter"},
		{with(`"logit_bias":{"1":2}`), "logit_bias", "unsupported_parameter"},
		{with(`"Temperature":1`), "Temperature", "unknown_parameter"},
		{say(`"tools":[{}]`), "tools", "unsupported_parameter"},
		{say(`"response_format":"json"`), "response_format", "invalid_value"},
		{say(`"response_format":{}`), "response_format.type", "invalid_value"},
		{say(`"response_format":{"type":"json"}`), "response_format.type", "invalid_value"},
		{say(`"response_format":{"type":"json_object","strict":true}`), "response_format.strict", "unknown_parameter"},
		{say(`"response_format":{"type":"json_schema"}`), "response_format.json_schema", "invalid_value"},
		{say(`"response_format":{"type":"json_schema","json_schema":{"name":"x"}}`), "response_format.json_schema.schema", "invalid_value"},
		{say(`"response_format":{"type":"json_schema","json_schema":{"schema":{},"x":1}}`), "response_format.json_schema.x", "unknown_parameter"},
		{say(`"response_format":{"type":"json_schema","json_schema":{"schema":{"not":{}}}}`), "response_format", "invalid_value"},
		{with(`"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"strin"}}}`), "response_format", "invalid_value"},
		{say(`"max_tokens":3,"max_completion_tokens":4`), "max_completion_tokens", "invalid_value"},
		{say(`"top_logprobs":2`), "top_logprobs", "invalid_value"},
		{say(`"logprobs":true,"top_logprobs":21`), "top_logprobs", "invalid_value"},
		{say(`"logprobs":3`), "logprobs", "invalid_value"},
		{`{"messages":{}}`, "messages", "invalid_value"},
		{`{"messages":[]}`, "messages", "invalid_value"},
		{`{"messages":[3]}`, "messages[0]", "invalid_value"},
		{`{"messages":[{"content":"x"}]}`, "messages[0].role", "invalid_value"},
		{`{"messages":[{"role":"tool","content":"x"}]}`, "messages[0].role", "invalid_value"},
		{`{"messages":[{"role":"user"}]}`, "messages[0].content", "invalid_value"},
		{`{"messages":[{"role":"user","content":3}]}`, "messages[0].content", "invalid_value"},
		{`{"messages":[{"role":"user","content":"x","weight":1}]}`, "messages[0].weight", "unknown_parameter"},
		{`{"messages":[{"role":"user","content":"x","name":"me"}]}`, "messages[0].name", "unsupported_parameter"},
		{`{"messages":[{"role":"user","content":"x","user":"me"}]}`, "messages[0].user", "unknown_parameter"},
		{`{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, "messages[0].content[0].type", "invalid_value"},
		{`{"messages":[{"role":"user","content":[{"type":"text"}]}]}`, "messages[0].content[0].text", "invalid_value"},
	} {
		_, err := understand(s, strings.Contains(c.body, `"messages"`), c.body)
		e, is := err.(*Error)
		if !is || e.Param != c.param || e.Code != c.code || e.Status < 400 || e.Status > 404 || e.Message == "" {
			t.Errorf("%s: %+v, want %s of %q", c.body, err, c.code, c.param)
		}
	}
}

// FuzzRequest checks that the server refuses a body with an error, or makes valid requests
// to the engine of it.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"prompt":"the","n":2,"seed":-3,"stop":["a"],"logprobs":2}`,
		`{"prompt":[[1,2],[3]],"max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}`,
		`{"prompt":["a",[1]],"echo":true,"top_p":0,"top_k":-1,"min_p":1e-3}`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"logprobs":true,"top_logprobs":3}`,
		`{"messages":[{"role":"system","content":"\ud800<|eot_id|>"},{"role":"assistant","content":""}],"tools":[]}`,
		`{"model":"m","messages":null,"metadata":{"a":[[[[]]]]}}`,
		`{"prompt":[1e9,-1,2.0],"seed":99999999999999999999}`,
		"{\"\xff\":1}", `[`, `{"a":{"b":`, ``,
	} {
		f.Add(seed)
	}
	s := newServer(f, nil)
	f.Fuzz(func(t *testing.T, body string) {
		for _, asked := range []bool{true, false} {
			q, err := understand(s, asked, body)
			if err == nil {
				checkRequest(t, s, q)
				continue
			}
			e, is := err.(*Error)
			if !is || e.Status < 400 || e.Status > 404 || e.Message == "" || len(e.Message) > 2000 {
				t.Errorf("%q: %#v", body, err)
			}
		}
	})
}

// checkRequest checks what engines rely on.
func checkRequest(t *testing.T, s *Server, q *request) {
	m := s.models[0]
	if q.choices() < 1 || q.choices() > s.Choices {
		t.Errorf("%d answers", q.choices())
	}
	for _, r := range q.requests {
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		if len(r.Prompt) == 0 || len(r.Prompt)+r.MaxTokens > m.Context || len(r.Seeds) != q.n || r.Top > maxTop || r.Top > 0 && !r.Detail {
			t.Errorf("%+v", r)
		}
		for _, id := range r.Prompt {
			if id < 0 || int(id) >= m.Vocab {
				t.Errorf("token %d", id)
			}
		}
	}
}
