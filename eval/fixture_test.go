package eval

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

func newTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	return testmodel.Tokenizer(t, 275, "the herd, the llamas, the herd", "the herders herd the llamas")
}

// blank returns a model of zeros: every token is as likely as any other.
func blank(t *testing.T, tok *tokenizer.Tokenizer, reward bool) *model.Params {
	t.Helper()
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 16, Intermediate: 24, Layers: 2, Heads: 4, KVHeads: 2, Positions: 64, InitRange: 0.4}.Config()
	if reward {
		c = c.Reward()
	}
	return testmodel.Blank(t, c)
}

// random returns a model with random weights, the value head's included.
func random(t *testing.T, tok *tokenizer.Tokenizer, reward bool, seed uint64) *model.Params {
	t.Helper()
	p := blank(t, tok, reward)
	p.Init(seed)
	if reward {
		for i := range p.Score.W {
			p.Score.W[i] = float32(i%5) - 1.7
		}
	}
	return p
}

func document(id, text string) table.Document {
	return table.Document{Origin: table.Origin{ID: id}, Text: text}
}

func user(text string) []chat.Message { return []chat.Message{{Role: "user", Content: text}} }

func asked(id, prompt, response string) table.Chat {
	return table.Chat{Origin: table.Origin{ID: id}, Messages: append(user(prompt), example.Reply(response)...)}
}

// pairs are preferences of strengths 0 to 3, all different.
func pairs(n int) []table.Preference {
	words := []string{"the herd", "the llamas", "herders", "a, b", "them", "he", "all the llamas"}
	list := make([]table.Preference, n)
	for i := range list {
		list[i] = table.Preference{
			Origin: table.Origin{ID: fmt.Sprint("pair ", i)}, Prompt: user(fmt.Sprint("who? ", i)),
			Chosen: example.Reply(words[i%7]), Rejected: example.Reply(words[(i+1+i/7)%7] + "!"), Strength: i % 4,
		}
	}
	return list
}

// swapped returns the pairs with the responses the other way round.
func swapped(list []table.Preference) []table.Preference {
	list = slices.Clone(list)
	for i := range list {
		list[i].Chosen, list[i].Rejected = list[i].Rejected, list[i].Chosen
	}
	return list
}

func formatOf(t *testing.T, tok *tokenizer.Tokenizer) *template.Format {
	t.Helper()
	format, err := template.New(tok)
	if err != nil {
		t.Fatal(err)
	}
	return format
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }
