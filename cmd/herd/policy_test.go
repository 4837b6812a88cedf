package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
)

func tinyPolicy(t *testing.T) answerer {
	t.Helper()
	dir := t.TempDir()
	if err := writeTiny(dir, false); err != nil {
		t.Fatal(err)
	}
	p, err := openPolicy(modelFlags{dir: dir}, engine.Options{Slots: 1}, kernel.FP32, true)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pieces records what is written, call by call.
type pieces struct{ list []string }

func (p *pieces) Write(b []byte) (int, error) {
	p.list = append(p.list, string(b))
	return len(b), nil
}

// TestStreamEqualsWhole compares what is streamed with the completion of the
// same request. The random model says much that is no UTF-8.
func TestStreamEqualsWhole(t *testing.T) {
	p := tinyPolicy(t)
	prompt := p.Tokenizer().Prompt("the herd")
	broken := 0
	for seed := range uint64(20) {
		r := p.Request(prompt, sample.Settings{Temperature: 1, MaxTokens: 40}, seed)
		var want string
		pieceCount := 0 // one for each token; a stop token's is what was held back
		err := p.Sampler().Generate(context.Background(), []sample.Request{r}, func(_ int, c []sample.Completion) error {
			pieceCount = len(c[0].IDs)
			if c[0].Finish == sample.Stop {
				pieceCount++
			}
			want = p.Tokenizer().DecodeSkipSpecial(c[0].IDs)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var shown pieces
		text, err := p.stream(context.Background(), &shown, r)
		if err != nil {
			t.Fatal(err)
		}
		if text != want || string(bytes.Join(split(shown.list), nil)) != want {
			t.Errorf("seed %d: streamed %q, want %q", seed, text, want)
		}
		if len(shown.list) != pieceCount {
			t.Errorf("seed %d: came in %d pieces, want %d", seed, len(shown.list), pieceCount)
		}
		if !utf8.ValidString(want) {
			broken++
		}
	}
	if broken == 0 {
		t.Error("all answers are UTF-8: the test sees no broken characters")
	}
}

func split(list []string) (parts [][]byte) {
	for _, s := range list {
		parts = append(parts, []byte(s))
	}
	return parts
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestStreamStopsWhenItCannotWrite(t *testing.T) {
	p := tinyPolicy(t)
	full := errors.New("no space left")
	r := p.Request(p.Tokenizer().Prompt("the"), sample.Settings{Temperature: 1, MaxTokens: 50})
	r.Seeds = []uint64{1}
	if _, err := p.stream(context.Background(), failing{full}, r); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

func TestStreamReturnsWhatCameBeforeTheEnd(t *testing.T) {
	p := tinyPolicy(t)
	ctx, cancel := context.WithCancel(context.Background())
	r := p.Request(p.Tokenizer().Prompt("the"), sample.Settings{Temperature: 1, MaxTokens: 50}, 1)
	whole, err := p.stream(ctx, &pieces{}, r)
	if err != nil {
		t.Fatal(err)
	}
	after := afterWrites{n: 5, do: cancel}
	part, err := p.stream(ctx, &after, r)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if part == "" || len(part) >= len(whole) || part[:len(part)-utf8.UTFMax] != whole[:len(part)-utf8.UTFMax] {
		t.Errorf("got %q of %q", part, whole)
	}
}

// afterWrites calls do at the n-th write.
type afterWrites struct {
	n  int
	do func()
}

func (a *afterWrites) Write(b []byte) (int, error) {
	if a.n--; a.n == 0 {
		a.do()
	}
	return len(b), nil
}

func TestFilterLetsNothingControlTheTerminal(t *testing.T) {
	var shown bytes.Buffer
	if _, err := (filter{&shown}).Write([]byte("a\x1b[2Jb\tä\n\u009b0m\x07\r")); err != nil {
		t.Fatal(err)
	}
	if got, want := shown.String(), "a\ufffd[2Jb\tä\n\ufffd0m\ufffd\ufffd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
