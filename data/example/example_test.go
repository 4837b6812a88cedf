package example_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

func newTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	return testmodel.Tokenizer(t, 275, "the herd, the llamas, the herd", "the herders herd the llamas")
}

func newFormat(t *testing.T) (*tokenizer.Tokenizer, *template.Format) {
	t.Helper()
	tok := newTokenizer(t)
	return tok, testmodel.Format(t, tok)
}

func document(id, text string) table.Document {
	return table.Document{Origin: table.Origin{ID: id}, Text: text}
}

func say(role, content string) chat.Message { return chat.Message{Role: role, Content: content} }

// TestDocument: whatever the length of its pieces, every token of a document but
// the first is predicted once, from what comes before it in its piece.
func TestDocument(t *testing.T) {
	tok := newTokenizer(t)
	rng := rand.New(rand.NewPCG(1, 1))
	for words := range 12 {
		row := document(fmt.Sprint("doc ", words), strings.Repeat("the llama herd ", words))
		ids := append(tok.Prompt(row.Text), tok.EOS())
		for _, length := range []int{1, 2, 3, 7, len(ids) - 2, len(ids) - 1, len(ids), 1 + rng.IntN(40), 1000} {
			if length < 1 {
				continue
			}
			if err := checkPieces(example.Document(tok, row, length), row.ID, ids, length); err != nil {
				t.Errorf("%d tokens in pieces of %d: %v", len(ids), length, err)
			}
		}
	}
	t.Run("planted", func(t *testing.T) {
		row := document("a", strings.Repeat("the llama herd ", 5))
		ids := append(tok.Prompt(row.Text), tok.EOS())
		pieces := example.Document(tok, row, 4)
		if checkPieces(pieces[1:], row.ID, ids, 4) == nil || checkPieces(append(pieces, pieces[0]), row.ID, ids, 4) == nil {
			t.Error("a missing piece or one too many passes")
		}
	})
}

func checkPieces(pieces []pack.Example, row string, ids []token.ID, length int) error {
	var predicted []token.ID
	for i, e := range pieces {
		if e.Row != row || len(e.Responses) > 0 || e.Tokens() > length || e.Tokens() == 0 {
			return fmt.Errorf("piece %d is %+v", i, e)
		}
		if last := i == len(pieces)-1; !last && e.Tokens() != length {
			return fmt.Errorf("piece %d of %d has %d tokens", i, len(pieces), e.Tokens())
		}
		if e.Norm != float64(e.Targets()) {
			return fmt.Errorf("piece %d has norm %g for %d targets", i, e.Norm, e.Targets())
		}
		b := pack.Batch([]pack.Example{e})
		predicted = append(predicted, b.Target...)
	}
	if !slices.Equal(predicted, ids[1:]) {
		return fmt.Errorf("predicted %v, want each of %v once", predicted, ids[1:])
	}
	return nil
}

var conversation = []chat.Message{
	say("system", "be brief"), say("user", "who herds?"), say("assistant", "the herders"),
	say("user", "whom?"), say("assistant", " the llamas\n"),
}

// TestChat: what is learnt is the assistant's words with the end of its turns.
func TestChat(t *testing.T) {
	tok, format := newFormat(t)
	turns, err := example.Chats(format, table.Chat{Origin: table.Origin{ID: "c"}, Messages: conversation})
	if err != nil || len(turns) != 1 {
		t.Fatal(len(turns), err)
	}
	e := turns[0]
	var learnt []token.ID
	for i, w := range e.Prompt.Weight {
		switch w {
		case 1:
			learnt = append(learnt, e.Prompt.IDs[i])
		case 0:
		default:
			t.Errorf("token %d has weight %g", i, w)
		}
	}
	want := "the herders" + tokenizer.NameEndOfTurn + "the llamas" + tokenizer.NameEndOfTurn
	if got := tok.Decode(learnt); got != want {
		t.Errorf("learnt %q, want %q", got, want)
	}
	if e.Norm != float64(len(learnt)) || e.Targets() != len(learnt) || e.Row != "c" {
		t.Errorf("row %q has norm %g and %d targets for %d tokens", e.Row, e.Norm, e.Targets(), len(learnt))
	}
	whole, err := format.Chat(conversation)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(e.Prompt.IDs, whole.IDs) || !slices.Equal(e.Prompt.Weight, example.Marks(whole.Own)) {
		t.Errorf("ids %v, weights %v", e.Prompt.IDs, e.Prompt.Weight)
	}
}

// TestResponses: the prompt with any of its responses is the chat of both.
func TestResponses(t *testing.T) {
	tok, format := newFormat(t)
	prompt := conversation[:2]
	responses := [][]chat.Message{
		example.Reply("the herders"),
		example.Reply(""),
		conversation[2:], // goes on for several turns
	}
	e, rendered, err := example.Responses(format, "p", prompt, responses...)
	if err != nil {
		t.Fatal(err)
	}
	if e.Row != "p" || len(e.Responses) != len(responses) || len(rendered) != len(responses) {
		t.Fatalf("%d responses, %d rendered in row %q", len(e.Responses), len(rendered), e.Row)
	}
	for i, response := range responses {
		whole, err := format.Chat(append(slices.Clone(prompt), response...))
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Concat(e.Prompt.IDs, e.Responses[i].IDs); !slices.Equal(got, whole.IDs) {
			t.Errorf("response %d: %q, want %q", i, tok.Decode(got), tok.Decode(whole.IDs))
		}
		cut := len(e.Prompt.IDs)
		if !slices.Equal(rendered[i].Own, whole.Own[cut:]) || !slices.Equal(rendered[i].Kind, whole.Kind[cut:]) || slices.Contains(whole.Own[:cut], true) {
			t.Errorf("response %d: own tokens %v, want %v", i, rendered[i].Own, whole.Own)
		}
	}
	// The first word comes first: its header is the prompt's.
	if got := tok.Decode(e.Responses[0].IDs); got != "the herders"+tokenizer.NameEndOfTurn {
		t.Errorf("response %q", got)
	}
}

func TestRewarded(t *testing.T) {
	tok, format := newFormat(t)
	e, err := example.Rewarded(format, "p", conversation[:2], example.Reply("the herders"), example.Reply("the llamas"))
	if err != nil {
		t.Fatal(err)
	}
	if e.Values() != 2 || e.Sequences() != 2 || e.Targets() != 0 {
		t.Errorf("%d values, %d sequences, %d targets", e.Values(), e.Sequences(), e.Targets())
	}
	b := pack.Batch([]pack.Example{e})
	for _, row := range b.Value {
		if b.IDs[row] != tok.EOT() {
			t.Errorf("the value head reads %q, not the end of turn", tok.Token(b.IDs[row]))
		}
	}
}

func TestErrors(t *testing.T) {
	_, format := newFormat(t)
	if _, err := example.Chats(format, table.Chat{}); err == nil {
		t.Error("a chat without messages passes")
	}
	if _, _, err := example.Responses(format, "p", conversation[:2], []chat.Message{say("user", "no")}); err == nil {
		t.Error("a response of the user's passes")
	}
	if _, err := example.Rewarded(format, "p", nil, example.Reply("yes")); err == nil {
		t.Error("a response to nothing passes")
	}
}

// TestMessageWeights: a token counts what its message counts.
func TestMessageWeights(t *testing.T) {
	_, format := newFormat(t)
	none, half := 0.0, 0.5
	row := table.Chat{Messages: slices.Clone(conversation)}
	plain, err := one(example.Chats(format, row))
	if err != nil {
		t.Fatal(err)
	}
	row.Messages[2].Weight, row.Messages[4].Weight = &none, &half
	row.Messages[1].Weight = &half // what others say is never learnt
	weighted, err := one(example.Chats(format, row))
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := format.Chat(row.Messages)
	if err != nil {
		t.Fatal(err)
	}
	var norm float64
	for i, w := range weighted.Prompt.Weight {
		want := plain.Prompt.Weight[i] * map[int32]float32{2: 0, 4: 0.5}[rendered.Turn[i]]
		if w != want {
			t.Errorf("token %d of message %d has weight %g, want %g", i, rendered.Turn[i], w, want)
		}
		norm += float64(w)
	}
	if weighted.Norm != norm || norm == 0 {
		t.Errorf("norm %g, want %g", weighted.Norm, norm)
	}
}

// one returns the only example of a chat.
func one(examples []pack.Example, err error) (pack.Example, error) {
	if err == nil && len(examples) != 1 {
		err = fmt.Errorf("%d examples", len(examples))
	}
	return append(examples, pack.Example{})[0], err
}

// TestReasoning: each turn that counts is an example of its own where the template lays it out so, a
// row of which none counts gives one that is skipped, and what the template leaves out is counted.
func TestReasoning(t *testing.T) {
	tok, _ := newFormat(t)
	source := "{% for m in messages %}{{ '<|start_header_id|>' + m.content.split('</think>')[-1] }}<|eot_id|>{% endfor %}" +
		"{% if add_generation_prompt %}<|start_header_id|>{{ '<think>' if thinking else '' }}{% endif %}"
	format, err := template.New(tok.WithTemplate(tokenizer.Template{Source: source}))
	if err != nil {
		t.Fatal(err)
	}
	none := 0.0
	user, thinks := say("user", "who?"), chat.Message{Role: "assistant", Reasoning: "hm", Content: "they"}
	unweighted := thinks
	unweighted.Weight = &none
	learn := format.WithReasoning(template.LearnReasoning)
	const full = "hm</think>they<|eot_id|>" // behind <think>, for which the template was asked
	for name, c := range map[string]struct {
		format   *template.Format
		messages []chat.Message
		learnt   []string
	}{
		"two turns":       {learn, []chat.Message{user, thinks, user, thinks}, []string{full, full}},
		"one counts":      {learn, []chat.Message{user, unweighted, user, thinks}, []string{full}},
		"none counts":     {learn, []chat.Message{user, unweighted}, []string{""}},
		"masked":          {format.WithReasoning(template.MaskReasoning), []chat.Message{user, thinks}, []string{"they<|eot_id|>"}},
		"what is left of": {format.AllowDropped(), []chat.Message{user, thinks, user, thinks}, []string{"they<|eot_id|>they<|eot_id|>"}},
	} {
		examples, err := example.Chats(c.format, table.Chat{Messages: c.messages})
		var learnt []string
		for _, e := range examples {
			var ids []token.ID
			for i, w := range e.Prompt.Weight {
				if w == 1 {
					ids = append(ids, e.Prompt.IDs[i])
				}
			}
			learnt = append(learnt, tok.Decode(ids))
			if e.Norm != float64(len(ids)) {
				t.Errorf("%s: norm %g, but %d tokens", name, e.Norm, len(ids))
			}
			if e.Partly != (name == "what is left of") {
				t.Errorf("%s: partly %t", name, e.Partly)
			}
		}
		if err != nil || !slices.Equal(learnt, c.learnt) {
			t.Errorf("%s: learnt %q, want %q, error %v", name, learnt, c.learnt, err)
		}
	}
	prompt := []chat.Message{user}
	if _, _, err := example.Responses(learn, "p", prompt, []chat.Message{thinks}, example.Reply("they")); !errors.Is(err, example.ErrPrompts) {
		t.Errorf("responses with different prompts: error %v", err)
	}
	e, _, err := example.Responses(format.AllowDropped(), "p", prompt, []chat.Message{thinks}, example.Reply("they"))
	if err != nil || !e.Partly {
		t.Errorf("a response without its reasoning: partly %t, error %v", e.Partly, err)
	}
}
