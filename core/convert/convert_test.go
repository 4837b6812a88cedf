package convert

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// shared is where real data lies beside the repository.
const shared = "../../../shared/data"

// real returns the path of a real file, and skips the test where there is none.
func real(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(shared, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s: this is not compared with real data", path)
	}
	return path
}

// story is what models/stories260K.md says that the model tells at temperature 0.
func story(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(real(t, "models/stories260K.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "-t 0.0\n")
	text, _, end := strings.Cut(rest, "\n```")
	if !ok || !end {
		t.Fatal("stories260K.md has another form")
	}
	return text
}

// stories opens the model that it tells.
func stories(t *testing.T) *Model {
	t.Helper()
	m, err := Open(real(t, "models/stories260K.bin"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	tok, err := OpenTokenizer(real(t, "models/tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.WithTokenizer(tok); err != nil {
		t.Fatal(err)
	}
	return m
}

// greedy returns n tokens after BOS, decoded.
func greedy(t *testing.T, m *Model, n int) string {
	t.Helper()
	p, err := m.Params(false)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sample.NewEngine(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	var ids []token.ID
	r := sample.Request{Prompt: m.Tokenizer.Prompt(""), Seeds: []uint64{0}, Settings: sample.Settings{TopP: 1, MaxTokens: n}}
	err = engine.Generate(context.Background(), []sample.Request{r}, func(_ int, all []sample.Completion) error {
		ids = all[0].IDs
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Tokenizer.Decode(ids)
}

func TestStories(t *testing.T) {
	m := stories(t)
	got, want := greedy(t, m, 256), story(t)
	if got != want {
		t.Errorf("tells\n%s\nwant\n%s", got, want)
	}
}
