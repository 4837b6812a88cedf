package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// TestStreamEqualsWhole checks that the deltas of a stream join to the whole answer, for
// chats and completions, and that its usage is the same.
func TestStreamEqualsWhole(t *testing.T) {
	_, at := start(t, nil, modelOf(t, "m", newEngine(t, 4)))
	broken := 0
	for seed := range 10 {
		for _, c := range []struct{ path, body string }{
			{"/v1/chat/completions", `{"messages":[{"role":"user","content":"the herd"}],"max_tokens":40,"n":3,"seed":%d`},
			{"/v1/completions", `{"prompt":["the ","where"],"max_tokens":40,"n":2,"echo":true,"seed":%d`},
			{"/v1/completions", `{"prompt":"the ","max_tokens":40,"stop":["e"],"logprobs":0,"seed":%d`},
		} {
			body := fmt.Sprintf(c.body, seed)
			status, want := whole(t, at.URL+c.path, body+"}")
			if status != http.StatusOK {
				t.Fatalf("%d %+v", status, want.Error)
			}
			r := post(t, at.URL+c.path, body+`,"stream":true,"stream_options":{"include_usage":true}}`)
			got, err := readStream(r.Body)
			r.Body.Close()
			if err != nil || !got.done || got.failed != "" {
				t.Fatalf("%s: %+v, %v", c.path, got, err)
			}
			if last := got.chunks[len(got.chunks)-1]; *last.Usage != *want.Usage || want.Usage.Total != want.Usage.Prompt+want.Usage.Answer {
				t.Errorf("usage %+v, want %+v", last.Usage, want.Usage)
			}
			for _, choice := range want.Choices {
				text := choice.Text + choice.Message.Content
				if got.texts[choice.Index] != text || got.finish[choice.Index] != choice.Finish {
					t.Errorf("%s: streamed %q (%s), want %q (%s)", c.path, got.texts[choice.Index], got.finish[choice.Index], text, choice.Finish)
				}
				if strings.ContainsRune(text, utf8.RuneError) {
					broken++
				}
			}
		}
	}
	if broken == 0 {
		t.Error("all answers are UTF-8: the test sees no broken characters")
	}
}

// TestErrorBeforeAndInAStream checks that an error before the first token has a status,
// and that a later one is an event without an end mark.
func TestErrorBeforeAndInAStream(t *testing.T) {
	for after, want := range map[int]string{0: "", 2: "internal_error"} {
		left := after
		step := func(context.Context) error {
			if left--; left < 0 {
				return errors.New("secret details")
			}
			return nil
		}
		_, at := start(t, nil, modelOf(t, "m", saying(step, 1, 2, 3, 4)))
		r := post(t, at.URL+"/v1/completions", `{"prompt":"a","stream":true}`)
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || strings.Contains(string(body), "secret") {
			t.Errorf("%s, %v", body, err)
		}
		got, err := readStream(strings.NewReader(string(body)))
		if err != nil || got.failed != want || got.done || (r.StatusCode == http.StatusOK) != (after > 0) {
			t.Errorf("after %d tokens: %d, %s, %v", after, r.StatusCode, body, err)
		}
	}
}

// TestClientGoes checks that the engine stops when the client disconnects.
func TestClientGoes(t *testing.T) {
	for _, stream := range []string{"true", "false"} {
		var ended atomic.Bool
		drawing := make(chan struct{}, 1)
		step := func(ctx context.Context) error {
			drawing <- struct{}{}
			<-ctx.Done()
			ended.Store(true)
			return ctx.Err()
		}
		s, at := start(t, nil, modelOf(t, "m", saying(step, 1, 2)))
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL+"/v1/completions", strings.NewReader(`{"prompt":"a","stream":`+stream+`}`))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-drawing
			cancel()
		}()
		if r, err := http.DefaultClient.Do(request); err == nil {
			r.Body.Close()
			t.Error("there is an answer")
		}
		eventually(t, "the engine stops", ended.Load)
		eventually(t, "its slot is free", func() bool { n, _ := s.models[0].queue.lengths(); return n == 0 })
		eventually(t, "it is counted", func() bool {
			keys, _ := s.models[0].meter.outcomes()
			return len(keys) == 1 && keys[0].status == statusGone
		})
	}
}

// TestTimeout checks that a request that takes too long ends with 504, in the queue too.
func TestTimeout(t *testing.T) {
	step := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	_, at := start(t, func(s *Settings) { s.Timeout, s.Slots = 30*time.Millisecond, 1 }, modelOf(t, "m", saying(step, 1)))
	for range 3 {
		status, a := whole(t, at.URL+"/v1/completions", `{"prompt":"a"}`)
		if status != http.StatusGatewayTimeout || a.Error.Code != "timeout" {
			t.Errorf("%d %+v", status, a.Error)
		}
	}
}

// TestSlowReader checks that the server cuts off a client that does not read, by backlog or
// by time, and that the engine never waits for it.
func TestSlowReader(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"backlog":  func(s *Settings) { s.Backlog, s.Patience = 50, time.Hour },
		"patience": func(s *Settings) { s.Backlog, s.Patience = 1<<30, 50*time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			var longest atomic.Int64
			flood := fake{complete: func(ctx context.Context, r sample.Request) ([]sample.Completion, error) {
				text := strings.Repeat("x", 64<<10)
				for range 4000 { // 256 MB: more than any socket holds
					begin := time.Now()
					r.Stream(0, sample.Delta{Text: text, Tokens: []sample.Token{{ID: 1}}})
					longest.Store(max(longest.Load(), int64(time.Since(begin))))
					if ctx.Err() != nil {
						return nil, ctx.Err()
					}
					time.Sleep(100 * time.Microsecond)
				}
				return nil, errors.New("the client was not cut off")
			}}
			s, at := start(t, change, modelOf(t, "m", flood))
			conn, err := net.Dial("tcp", at.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			body := `{"prompt":"a","stream":true}`
			fmt.Fprintf(conn, "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			eventually(t, "it is cut off", func() bool {
				keys, _ := s.models[0].meter.outcomes()
				return len(keys) == 1 && keys[0].status == statusGone
			})
			if waited := time.Duration(longest.Load()); waited > 2*time.Second {
				t.Errorf("the engine waited %v", waited)
			}
		})
	}
}

// TestSlowReaderHoldsNoSlot checks that an answer that is complete but not yet read keeps
// no other request waiting.
func TestSlowReaderHoldsNoSlot(t *testing.T) {
	text := strings.Repeat("x", 64<<20) // more than any socket holds
	engine := fake{complete: func(_ context.Context, r sample.Request) ([]sample.Completion, error) {
		if len(r.Prompt) > 1 {
			return []sample.Completion{{Text: "y", Finish: sample.Stop}}, nil
		}
		r.Stream(0, sample.Delta{Text: text, Finish: sample.Stop})
		return []sample.Completion{{Text: text, Finish: sample.Stop}}, nil
	}}
	_, at := start(t, func(s *Settings) { s.Slots = 1 }, modelOf(t, "m", engine))
	for _, stream := range []string{"true", "false"} {
		r := post(t, at.URL+"/v1/completions", `{"prompt":[1],"stream":`+stream+`}`) // the test does not read its body
		if status, a := whole(t, at.URL+"/v1/completions", `{"prompt":[1,2]}`); status != http.StatusOK || a.Choices[0].Text != "y" {
			t.Errorf("%d %+v", status, a)
		}
		r.Body.Close()
	}
}

// TestKeptConnection checks that the deadlines of one answer do not end the next one on the
// same connection.
func TestKeptConnection(t *testing.T) {
	_, at := start(t, func(s *Settings) { s.Patience = 200 * time.Millisecond }, modelOf(t, "m", saying(func(context.Context) error {
		time.Sleep(60 * time.Millisecond)
		return nil
	}, 1, 2, 3, 4, 5)))
	for range 2 {
		if status, a := whole(t, at.URL+"/v1/completions", `{"prompt":"a"}`); status != http.StatusOK || a.Usage.Answer != 5 {
			t.Errorf("%d %+v", status, a)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// TestEmbeddings checks vectors of length 1, as numbers and packed.
func TestEmbeddings(t *testing.T) {
	_, at := start(t, nil, modelOf(t, "m", saying(nil, 1)))
	for format, want := range map[string]string{
		"float":  `"embedding":[0.6666667,0.6666667,0.33333334]`,
		"base64": `"embedding":"q6oqP6uqKj+rqqo+"`,
	} {
		r := post(t, at.URL+"/v1/embeddings", `{"input":[[5,1]],"encoding_format":"`+format+`"}`)
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || !strings.Contains(string(body), want) || !strings.Contains(string(body), `"usage":{"prompt_tokens":2,"total_tokens":2}`) {
			t.Errorf("%s: %s, %v", format, body, err)
		}
	}
	for _, body := range []string{`{"input":[]}`, `{"input":[[]]}`, `{"input":[[290]]}`, `{"input":"a","dimensions":3}`, `{"input":"a","encoding_format":"int8"}`, `{"input":"` + strings.Repeat("q", positions) + `"}`} {
		if status, a := whole(t, at.URL+"/v1/embeddings", body); status != http.StatusBadRequest {
			t.Errorf("%s: %d %+v", body, status, a)
		}
	}
}

// TestTokenize checks both directions, in the forms of llama-server and vLLM.
func TestTokenize(t *testing.T) {
	_, at := start(t, nil, modelOf(t, "m", saying(nil, 1)))
	tok, err := newTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	ids := func(list []token.ID) string { return strings.ReplaceAll(fmt.Sprint(list), " ", ",") }
	for body, want := range map[string]string{
		`{"content":"the <|eot_id|>"}`:                    `{"tokens":` + ids(tok.Encode("the <|eot_id|>")) + `,"count":`,
		`{"prompt":"the"}`:                                `{"tokens":` + ids(tok.Prompt("the")) + `,"count":`,
		`{"prompt":"the","add_special_tokens":false}`:     `{"tokens":` + ids(tok.Encode("the")) + `,"count":`,
		`{"content":"the","add_special":true}`:            `{"tokens":` + ids(tok.Prompt("the")) + `,"count":`,
		`{"content":"<|eot_id|>","parse_special":true}`:   fmt.Sprintf(`{"tokens":[%d],"count":1,"max_model_len":128}`, tok.EOT()),
		`{"content":"é","with_pieces":true}`:              `"piece":[195]},{"id":`,
		`{"content":""}`:                                  `{"tokens":[],"count":0,`,
		`{"content":"x","parse_special":1}`:               `"param":"parse_special"`,
		`{}`:                                              `"param":"content"`,
		`{"messages":[{"role":"user","content":"the"}]}`:  `,"max_model_len":128}`,
		`{"messages":[{"role":"owner","content":"the"}]}`: `"param":"messages[0].role"`,
	} {
		if got := text(t, at.URL+"/tokenize", body); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	for body, want := range map[string]string{
		`{"tokens":` + ids(tok.Encode("é é<")) + `}`: `{"content":"é é<","prompt":"é é<"}`,
		`{"tokens":[290]}`: `"param":"tokens"`,
		`{"tokens":["a"]}`: `"param":"tokens"`,
		`{}`:               `"param":"tokens"`,
	} {
		if got := text(t, at.URL+"/detokenize", body); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func text(t *testing.T, url, body string) string {
	t.Helper()
	r := post(t, url, body)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
