package reward

import (
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// TestExample: edited is preferred to chosen, chosen to rejected, all in one row
// that counts 1.
func TestExample(t *testing.T) {
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	format := testmodel.Format(t, tok)
	say := func(text string) []chat.Message { return []chat.Message{{Role: "assistant", Content: text}} }
	row := table.Preference{Prompt: []chat.Message{{Role: "user", Content: "What?"}}, Chosen: say("a goat"), Rejected: say("is it"), Strength: 3}
	two, err := Example(format, row, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := []token.Pair{{Chosen: 0, Rejected: 1, Weight: 1}}; !slices.Equal(two.Pairs, want) || two.Norm != 1 {
		t.Errorf("pairs %v and norm %v, want %v and 1", two.Pairs, two.Norm, want)
	}
	row.Edited = say("It is a goat.")
	three, err := Example(format, row, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	third := float32(1) / 3
	want := []token.Pair{{Chosen: 0, Rejected: 1, Weight: third, Margin: 1.5}, {Chosen: 0, Rejected: 2, Weight: third, Margin: 1.5}, {Chosen: 1, Rejected: 2, Weight: third, Margin: 1.5}}
	if !slices.Equal(three.Pairs, want) || three.Norm != 1 || three.Values() != 3 {
		t.Errorf("pairs %v, norm %v, %d values, want %v", three.Pairs, three.Norm, three.Values(), want)
	}
	if got := tok.DecodeSkipSpecial(three.Responses[0].IDs); got != "It is a goat." {
		t.Errorf("the first response is %q, want the edited one", got)
	}
}
