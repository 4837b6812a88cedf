package policy_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/policy"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

var question = []chat.Message{{Role: chat.User, Content: "What is it?"}}

func newTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Train(slices.Values([]string{"What is it? It is a goat. No, it is a sheep."}), tokenizer.TrainSettings{VocabSize: 270})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// newParams returns a random model of 160 positions.
func newParams(t *testing.T, vocab int, change func(model.Config) model.Config) *model.Params {
	t.Helper()
	c := model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu",
		VocabSize: vocab, HiddenSize: 8, IntermediateSize: 16, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 4,
		MaxPositions: 160, RopeTheta: 10000, NormEps: 1e-5, InitRange: 0.3, TiedHead: true,
	}
	p, err := model.New(change(c))
	if err != nil {
		t.Fatal(err)
	}
	p.Init(5)
	return p
}

func same(c model.Config) model.Config { return c }

func save(t *testing.T, p *model.Params, tok *tokenizer.Tokenizer) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := errors.Join(os.Mkdir(dir, 0o777), p.Save(dir), tok.Save(dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// answer returns the text of one answer.
func answer(t *testing.T, p *policy.Policy) string {
	t.Helper()
	r, err := p.Ask(question, "", sample.Settings{Temperature: 1, MaxTokens: 12}, 3)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	err = p.Sampler().Generate(t.Context(), []sample.Request{r}, func(_ int, c []sample.Completion) error {
		text = c[0].Text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOpenEqualsOf: a model in memory answers what it answers when it is read from disk,
// and a template changes the answer.
func TestOpenEqualsOf(t *testing.T) {
	tok := newTokenizer(t)
	params := newParams(t, tok.VocabSize(), same)
	inMemory, err := policy.Of(params, tok, engine.Options{Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	dir := save(t, params, tok)
	want := answer(t, inMemory)
	for name, equal := range map[string]bool{"": true, "llama3": true, "llama3.1": false} {
		onDisk, err := policy.Open(policy.Settings{Model: dir, Template: name, Chats: true}, engine.Options{Slots: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := answer(t, onDisk); (got == want) != equal {
			t.Errorf("template %q: %q from disk, %q from memory", name, got, want)
		}
		if onDisk.TokenizerDigest() == "" || onDisk.Engine() == nil || !slices.Contains(onDisk.Stop(), tok.EOT()) {
			t.Errorf("template %q: a policy without tokenizer, engine or stop token", name)
		}
	}
}

// TestRefused: what cannot work is refused before a token is drawn.
func TestRefused(t *testing.T) {
	tok := newTokenizer(t)
	plain := newParams(t, tok.VocabSize(), same)
	bare := tok.WithTemplate(tokenizer.Template{})
	for name, c := range map[string]struct {
		dir, template, want string
	}{
		"reward model":     {save(t, newParams(t, tok.VocabSize(), model.Config.Reward), tok), "", "is a reward model"},
		"no template":      {save(t, plain, bare), "", template.ErrMissing.Error()},
		"unknown template": {save(t, plain, bare), "llama9", `no chat template "llama9"`},
		"no end of turn":   {save(t, plain, tok), "chatml", ""},
		"no directory":     {"nowhere", "", "nowhere"},
	} {
		_, err := policy.Open(policy.Settings{Model: c.dir, Template: c.template, Chats: true}, engine.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := policy.Of(newParams(t, tok.VocabSize(), model.Config.Reward), tok, engine.Options{}); err == nil {
		t.Error("a reward model in memory answers")
	}
}

// TestAsk: a chat needs a template, a prompt needs room, and tokens belong to the model.
func TestAsk(t *testing.T) {
	tok := newTokenizer(t)
	params := newParams(t, tok.VocabSize(), same)
	long := []chat.Message{{Role: chat.User, Content: strings.Repeat("What? ", 90)}}
	p, err := policy.Of(params, tok, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var tooLong *policy.TooLong
	if _, err := p.Ask(long, "", sample.Settings{}, 1); !errors.As(err, &tooLong) || tooLong.Positions != 160 || tooLong.Tokens < 160 {
		t.Errorf("a long prompt: error %v", err)
	}
	full := make([]token.ID, 160)
	if err := p.Check(full); !errors.As(err, &tooLong) || tooLong.Tokens != 160 {
		t.Errorf("a prompt of all positions: error %v", err)
	}
	if err := p.Check(full[1:]); err != nil {
		t.Errorf("a prompt that leaves one position: error %v", err)
	}
	without, err := policy.Open(policy.Settings{Model: save(t, params, tok.WithTemplate(tokenizer.Template{}))}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := without.Ask(question, "", sample.Settings{}, 1); !errors.Is(err, template.ErrMissing) {
		t.Errorf("without a template: error %v", err)
	}
	if err := without.Check(tok.Prompt("What is it?")); err != nil {
		t.Errorf("a text needs no template: error %v", err)
	}
	small, err := policy.Of(newParams(t, 260, same), tok, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := small.Ask(question, "", sample.Settings{}, 1); err == nil || !strings.Contains(err.Error(), "they do not match") {
		t.Errorf("a tokenizer of another model: error %v", err)
	}
}

// TestRemote: a server answers; a directory has the tokenizer, or there is none.
func TestRemote(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": "a goat"},
		}}})
	}))
	defer server.Close()
	at := remote.Settings{URL: server.URL, Model: "parrot", Prompt: remote.Chat}
	alone, err := policy.Remote(policy.Settings{Chats: true}, at)
	if err != nil {
		t.Fatal(err)
	}
	if got := answer(t, alone); got != "a goat" || alone.TokenizerDigest() != "" || alone.Engine() != nil {
		t.Errorf("%q by tokenizer %q", got, alone.TokenizerDigest())
	}
	if ids, err := alone.Prompt(question); ids != nil || err != nil {
		t.Errorf("the server lays out chats: prompt %v, error %v", ids, err)
	}
	tok := newTokenizer(t)
	dir := save(t, newParams(t, tok.VocabSize(), same), tok.WithTemplate(tokenizer.Template{}))
	if _, err := policy.Remote(policy.Settings{Model: dir, Chats: true}, at); !errors.Is(err, template.ErrMissing) {
		t.Errorf("a directory without a template: error %v", err)
	}
	with, err := policy.Remote(policy.Settings{Model: dir, Template: "llama3", Chats: true}, at)
	if err != nil || answer(t, with) != "a goat" || with.TokenizerDigest() == "" {
		t.Errorf("with a template: error %v", err)
	}
	if _, err := policy.Remote(policy.Settings{Template: "llama3"}, at); err == nil {
		t.Error("a template without a tokenizer is accepted")
	}
}

// TestRemoteStops: a server is asked to stop at all tokens at which the model stops here.
func TestRemoteStops(t *testing.T) {
	tok := newTokenizer(t)
	params := newParams(t, tok.VocabSize(), func(c model.Config) model.Config {
		c.Generation = []byte(`{"eos_token_id": [7, 8]}`)
		return c
	})
	at := remote.Settings{URL: "http://127.0.0.1:1", Model: "parrot", Prompt: remote.Chat}
	p, err := policy.Remote(policy.Settings{Model: save(t, params, tok), Chats: true}, at)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []token.ID{7, 8, tok.EOT(), tok.EOS()} {
		if !slices.Contains(p.Stop(), id) {
			t.Errorf("the stop tokens %v lack %d", p.Stop(), id)
		}
	}
}
