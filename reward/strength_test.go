package reward

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// TestMinStrength: pairs with a known strength below min_strength are left out and counted, those
// of unknown strength stay.
func TestMinStrength(t *testing.T) {
	say := func(text string) []chat.Message { return []chat.Message{{Role: "assistant", Content: text}} }
	var rows []table.Preference
	for strength := range 5 {
		rows = append(rows, table.Preference{
			Origin: table.Origin{ID: fmt.Sprint(strength)}, Strength: strength,
			Prompt: []chat.Message{{Role: "user", Content: "What?"}}, Chosen: say("a goat"), Rejected: say("is it"),
		})
	}
	s := Defaults()
	s.Preferences = []string{filepath.Join(t.TempDir(), "pairs.arrow")}
	if err := table.WriteAll(s.Preferences[0], table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	task := &train.Task{Tokenizer: testmodel.Tokenizer(t, 265, "What is it? It is a goat.")}
	for least, want := range []string{"01234", "01234", "0234", "034", "04"} {
		s.MinStrength = least
		examples, count, err := s.examples(task)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range examples {
			got += e.Row
		}
		if got != want || count.LeftOut != 5-len(want) || count.Used != len(want) {
			t.Errorf("min_strength %d keeps %s, counted %+v, want %s", least, got, count, want)
		}
	}
}
