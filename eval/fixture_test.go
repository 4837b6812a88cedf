package eval

import (
	"fmt"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

func newTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	lines := []string{"the herd, the llamas, the herd", "the herders herd the llamas"}
	tok, err := tokenizer.Train(slices.Values(lines), tokenizer.TrainSettings{VocabSize: 275})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// blank returns a model of zeros: every token is as likely as any other.
func blank(t *testing.T, tok *tokenizer.Tokenizer, reward bool) *model.Params {
	t.Helper()
	c := model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu",
		VocabSize: tok.VocabSize(), HiddenSize: 16, IntermediateSize: 24, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 4,
		MaxPositions: 64, NormEps: 1e-5, RopeTheta: 10000, InitRange: 0.4,
	}
	if reward {
		c = c.Reward()
	}
	p, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
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
