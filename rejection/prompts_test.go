package rejection

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

func ask(id, question string, more ...chat.Message) table.Chat {
	messages := append([]chat.Message{{Role: "user", Content: question}}, more...)
	return table.Chat{Origin: table.Origin{ID: id}, Messages: messages}
}

func TestLoadPrompts(t *testing.T) {
	answer := chat.Message{Role: "assistant", Content: "a goat"}
	for _, c := range []struct {
		name  string
		rows  []table.Chat
		limit int
		want  string // ids with references, or part of the error
	}{
		{"plain", []table.Chat{ask("1", "a"), ask("2", "a")}, 0, "1: 2:"},
		{"answered", []table.Chat{ask("1", "a", answer)}, 0, "1:a goat"},
		{"the same again", []table.Chat{ask("1", "a"), ask("2", "b"), ask("1", "a", answer)}, 0, "1: 2:"},
		{"limited", []table.Chat{ask("1", "a"), ask("1", "a"), ask("2", "b"), ask("3", "c")}, 2, "1: 2:"},
		{"one id for two", []table.Chat{ask("1", "a"), ask("1", "b")}, 0, "row 1 has the id of a row before it that asks something else"},
		{"no question", []table.Chat{{Messages: []chat.Message{answer}}}, 0, "asks nothing"},
		{"none", nil, 0, "hold no prompts"},
	} {
		path := filepath.Join(t.TempDir(), "prompts.arrow")
		if err := table.WriteAll(path, table.Header{}, c.rows); err != nil {
			t.Fatal(err)
		}
		prompts, repeated, err := loadPrompts(Settings{Prompts: []string{path}, Limit: c.limit})
		var list []string
		for _, p := range prompts {
			list = append(list, p.ID+":"+p.reference)
		}
		got := strings.Join(list, " ")
		if want := map[string]int{"the same again": 1, "limited": 1}[c.name]; repeated != want {
			t.Errorf("%s: %d rows repeat others, want %d", c.name, repeated, want)
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || err == nil && got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestOtherWords: a prompt whose words have changed, though not its id, gets no
// response to the old ones. Prompts in another order keep theirs.
func TestOtherWords(t *testing.T) {
	s := fixture(t, 0)
	s.Pick.CutOff = true
	rows := make([]table.Chat, 9)
	for i := range rows {
		rows[i] = ask(fmt.Sprint(i), fmt.Sprintf("What is %d?", i))
	}
	run := func(s Settings) (sum Summary) {
		t.Helper()
		if err := table.WriteAll(s.Prompts[0], table.Header{}, rows); err != nil {
			t.Fatal(err)
		}
		o := Options{Mode: run.Mode{Resume: true}, PartSamples: 4, Summarise: func(got Summary) { sum = got }}
		if err := Run(t.Context(), s, o); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	run(s)
	rows[4].Messages[0].Content = "What is a goat?"
	slices.Reverse(rows)
	if sum := run(s); sum.Drawn != 3 {
		t.Errorf("one prompt of nine is new: %d samples were drawn, want 3", sum.Drawn)
	}
	whole := s
	whole.Out += "-whole"
	run(whole)
	if !bytes.Equal(written(t, s.Out), written(t, whole.Out)) {
		t.Error("other files than those of a run with the new prompts alone")
	}
}

// TestTooLong: a prompt after which nothing can follow is an error at once, or left
// out and named.
func TestTooLong(t *testing.T) {
	s := fixture(t, 0)
	s.Pick.CutOff = true
	rows := []table.Chat{ask("short", "What?"), ask("long", strings.Repeat("x y ", 50)), ask("short", "What?")}
	if err := table.WriteAll(s.Prompts[0], table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), s, Options{})
	if err == nil || !strings.Contains(err.Error(), "prompt long: the prompt has") || !strings.Contains(err.Error(), "set too_long to skip") {
		t.Errorf("error %v", err)
	}
	s.TooLong = Skip
	var sum Summary
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, Summarise: func(got Summary) { sum = got }}); err != nil {
		t.Fatal(err)
	}
	if sum.Prompts != 1 || !slices.Equal(sum.Skipped, []string{"long"}) || sum.Repeated != 1 || !sum.Heavy() {
		t.Errorf("%+v", sum)
	}
	m, err := run.ReadManifest(s.Out)
	if err != nil || strings.Join(strings.Fields(string(m.Extra[extraRows])), "") != `{"rows":3,"used":1,"too_long":1,"repeated":1}` {
		t.Errorf("rows %s, error %v", m.Extra[extraRows], err)
	}
	s.Prompts[0] += ".long"
	if err := table.WriteAll(s.Prompts[0], table.Header{}, rows[1:2]); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}}); err == nil || !strings.Contains(err.Error(), "all 1 prompts are too long") {
		t.Errorf("none is short: error %v", err)
	}
}
