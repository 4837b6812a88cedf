package remote

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/weights/convert"
)

// TestPeer compares a running server with the local engine on the same weights:
// HERD_REMOTE_URL is its address, HERD_REMOTE_MODEL the model. With HERD_REMOTE_SEEDS=1,
// which is for herd serve, equal seeds must give equal completions; otherwise only the
// likeliest tokens must be equal.
func TestPeer(t *testing.T) {
	url, path := os.Getenv("HERD_REMOTE_URL"), os.Getenv("HERD_REMOTE_MODEL")
	if url == "" || path == "" {
		t.Skip("HERD_REMOTE_URL and HERD_REMOTE_MODEL are not set: no server is compared")
	}
	local, tok := opened(t, path)
	settings := Settings{URL: url, Model: cmp.Or(os.Getenv("HERD_REMOTE_NAME"), "herd"), SeedBits: 64}
	temperature := 1.0
	if os.Getenv("HERD_REMOTE_SEEDS") == "" {
		settings.SeedBits, temperature = 31, 0
	}
	e, err := New(settings, tok)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	requests := prompts(tok, temperature)
	want := map[int][]sample.Completion{}
	if err := local.Generate(t.Context(), requests, func(i int, c []sample.Completion) error {
		want[i] = c
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got, err := generate(t.Context(), e, requests...)
	if err != nil {
		t.Fatal(err)
	}
	again, err := generate(t.Context(), e, requests...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range requests {
		for k := range r.Seeds {
			same(t, fmt.Sprintf("request %d, seed %d", i, r.Seeds[k]), want[i][k], got[i][k])
			if got[i][k].Text != again[i][k].Text {
				t.Errorf("request %d: %q, and then %q", i, got[i][k].Text, again[i][k].Text)
			}
		}
	}
}

func opened(t *testing.T, path string) (*engine.Engine, *tokenizer.Tokenizer) {
	m, err := convert.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	p, err := m.Params(false)
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	return engine.New(w, m.Tokenizer, engine.Options{}), m.Tokenizer
}

// prompts returns requests for all ways in which a completion can end.
func prompts(tok *tokenizer.Tokenizer, temperature float64) (list []sample.Request) {
	for i, text := range []string{"Once upon a time", "Lily and Tom", "The dog was", "One day, a"} {
		r := sample.Request{
			Prompt: tok.Prompt(text), Seeds: []uint64{uint64(i), 1 << 40, math.MaxUint64}, Stop: []token.ID{tok.EOS()},
			Settings: sample.Settings{Temperature: temperature, MaxTokens: 60},
		}
		word, point := r, r
		word.StopStrings = []string{" and", ", there"}
		point.Stop = append(slices.Clone(r.Stop), last(tok.Encode("big.")))
		list = append(list, r, word, point)
	}
	return list
}

func last(ids []token.ID) token.ID { return ids[len(ids)-1] }

// same compares texts without a leading blank, which a text alone loses in some
// vocabularies. A server may report fewer tokens after a stop string, and some do not
// report the token that ended an answer.
func same(t *testing.T, what string, want, got sample.Completion) {
	t.Helper()
	n := min(len(want.IDs), len(got.IDs))
	if strings.TrimPrefix(got.Text, " ") != strings.TrimPrefix(want.Text, " ") || got.Finish != want.Finish || !slices.Equal(got.IDs[:n], want.IDs[:n]) {
		t.Errorf("%s: %s %q %v, expected %s %q %v", what, got.Finish, got.Text, got.IDs, want.Finish, want.Text, want.IDs)
	}
	less := want.LogProb - got.LogProb
	if len(got.IDs) == 0 && math.IsNaN(got.LogProb) {
		return
	}
	if !(less < 0.01) || want.Finish == sample.Length && !(less > -0.01) {
		t.Errorf("%s: log-probability %g, expected %g", what, got.LogProb, want.LogProb)
	}
}
