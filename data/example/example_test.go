package example_test

import (
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
	e, err := example.Chat(format, table.Chat{Origin: table.Origin{ID: "c"}, Messages: conversation})
	if err != nil {
		t.Fatal(err)
	}
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
	if _, err := example.Chat(format, table.Chat{}); err == nil {
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
	plain, err := example.Chat(format, row)
	if err != nil {
		t.Fatal(err)
	}
	row.Messages[2].Weight, row.Messages[4].Weight = &none, &half
	row.Messages[1].Weight = &half // what others say is never learnt
	weighted, err := example.Chat(format, row)
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
