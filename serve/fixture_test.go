package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/internal/testmodel"
)

const positions = 128

// newTokenizer returns a tokenizer with tokens for chats; é is two tokens.
var newTokenizer = sync.OnceValues(func() (*tokenizer.Tokenizer, error) {
	return tokenizer.Train(slices.Values([]string{strings.Repeat("the herd moves over the hills where the grass is green. ", 3)}), tokenizer.TrainSettings{VocabSize: 290})
})

// modelOf returns a model with the engine e.
func modelOf(t testing.TB, name string, e Engine) Model {
	t.Helper()
	tok, err := newTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	format, err := template.New(tok)
	if err != nil {
		t.Fatal(err)
	}
	return Model{
		Name: name, Engine: e, Tokenizer: tok, Format: format, Stop: []token.ID{tok.EOT(), tok.EOS()},
		Context: positions, Vocab: tok.VocabSize(), Digest: "fp_test",
	}
}

// newEngine returns a real engine with a small random model. Its answers hold much invalid
// UTF-8.
func newEngine(t testing.TB, slots int) Engine {
	t.Helper()
	tok, err := newTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 16, Intermediate: 24, Layers: 1, Heads: 2, Positions: positions, InitRange: 0.3}.Config()
	return engine.New(testmodel.Pack(t, testmodel.Random(t, c, 1)), tok, engine.Options{Slots: slots})
}

// fake is an engine whose completions a test provides.
type fake struct {
	complete func(ctx context.Context, r sample.Request) ([]sample.Completion, error)
	stats    sample.Stats
}

func (f fake) Complete(ctx context.Context, r sample.Request) ([]sample.Completion, error) {
	return f.complete(ctx, r)
}

func (f fake) Embed(_ context.Context, ids []token.ID) ([]float32, error) {
	return []float32{float32(len(ids)), 2, float32(ids[len(ids)-1])}, nil
}

func (f fake) Stats() sample.Stats { return f.stats }

// saying returns an engine that answers each seed with the given tokens, and streams them
// one by one. It calls step, unless nil, before each token.
func saying(step func(ctx context.Context) error, ids ...token.ID) fake {
	return fake{complete: func(ctx context.Context, r sample.Request) ([]sample.Completion, error) {
		tok, err := newTokenizer()
		if err != nil {
			return nil, err
		}
		var all []sample.Completion
		for k, seed := range r.Seeds {
			c := sample.Completion{Seed: seed, Finish: sample.Length, IDs: ids}
			for i, id := range ids {
				if step != nil {
					if err := step(ctx); err != nil {
						return nil, err
					}
				}
				d := sample.Delta{Text: tok.Decode([]token.ID{id}), Tokens: []sample.Token{{ID: id, LogProb: -1}}}
				if i == len(ids)-1 {
					d.Finish = c.Finish
				}
				c.Text += d.Text
				c.Tokens = append(c.Tokens, d.Tokens...)
				r.Stream(k, d)
			}
			all = append(all, c)
		}
		return all, nil
	}}
}

// start serves models with the default settings, modified by change.
func start(t testing.TB, change func(*Settings), models ...Model) (*Server, *httptest.Server) {
	t.Helper()
	s := Defaults()
	if change != nil {
		change(&s)
	}
	server, err := New(s, models...)
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(server.Handler())
	t.Cleanup(listening.Close)
	return server, listening
}

// post sends a body and returns the response. The caller closes its body.
func post(t testing.TB, url, body string) *http.Response {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answerBody has the fields of all response bodies that tests read.
type answerBody struct {
	Error *struct{ Message, Type, Param, Code string }

	ID      string
	Object  string
	Model   string
	Choices []struct {
		Index    int
		Text     string
		Message  struct{ Role, Content string }
		Delta    struct{ Role, Content string }
		LogProbs json.RawMessage
		Finish   string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt int `json:"prompt_tokens"`
		Answer int `json:"completion_tokens"`
		Total  int `json:"total_tokens"`
	}
}

// whole posts a body and reads the whole answer.
func whole(t testing.TB, url, body string) (status int, a answerBody) {
	t.Helper()
	r := post(t, url, body)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r.StatusCode, a
}

// streamed is the content of a stream.
type streamed struct {
	texts, finish []string
	chunks        []answerBody
	done          bool
	failed        string // code of the error
}

// readStream reads events to the end.
func readStream(body io.Reader) (s streamed, err error) {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, is := strings.CutPrefix(lines.Text(), "data: ")
		if data == "[DONE]" {
			s.done = true
			continue
		}
		if !is {
			continue
		}
		var c answerBody
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return s, err
		}
		if c.Error != nil {
			s.failed = c.Error.Code
			continue
		}
		s.take(c)
	}
	return s, lines.Err()
}

func (s *streamed) take(c answerBody) {
	s.chunks = append(s.chunks, c)
	for _, choice := range c.Choices {
		for len(s.texts) <= choice.Index {
			s.texts, s.finish = append(s.texts, ""), append(s.finish, "")
		}
		s.texts[choice.Index] += choice.Text + choice.Delta.Content
		s.finish[choice.Index] += choice.Finish
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for begin := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("not after 10 s: %s", what)
		}
	}
}
