package eval

import (
	"math"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/stat"
)

var documents = []table.Document{
	document("a", "the herd"), document("b", "the herders herd the llamas, all of them"), document("c", "é"), document("d", ""),
}

// TestTextsUniform: to a model that knows nothing, each of V tokens costs log V.
func TestTextsUniform(t *testing.T) {
	tok := newTokenizer(t)
	p := blank(t, tok, false)
	var tokens, bytes float64
	for _, d := range documents {
		tokens += float64(len(tok.Encode(d.Text)) + 1) // the end of text, too
		bytes += float64(len(d.Text))
	}
	perToken := math.Log(float64(tok.VocabSize()))
	for _, length := range []int{1, 3, 5, 60} {
		m, err := Texts(t.Context(), p, tok, documents, length)
		if err != nil {
			t.Fatal(err)
		}
		bits := tokens * perToken / math.Ln2 / bytes
		if !near(m["loss"].Value, perToken, 1e-5) || !near(m["bits_per_byte"].Value, bits, 1e-5*bits) || m["loss"].N != len(documents) {
			t.Errorf("pieces of %d: %v, want loss %v and %v bits per byte", length, m, perToken, bits)
		}
		// No document is harder than another, so that there is no doubt.
		if !near(m["loss"].Low, perToken, 1e-5) || !near(m["loss"].High, perToken, 1e-5) {
			t.Errorf("pieces of %d: loss %v, want an interval of nothing", length, m["loss"])
		}
	}
}

// TestTextsLoss: whole documents cost what the training graph says.
func TestTextsLoss(t *testing.T) {
	tok := newTokenizer(t)
	p := random(t, tok, false, 1)
	var examples []pack.Example
	for _, d := range documents {
		examples = append(examples, example.Document(tok, d, 60)...)
	}
	nats, weight, err := score.CrossEntropy(t.Context(), p, examples, 100)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Texts(t.Context(), p, tok, documents, 60)
	if err != nil {
		t.Fatal(err)
	}
	if want := nats / weight; !near(m["loss"].Value, want, 1e-5*want) || m["loss"].Low > want || m["loss"].High < want {
		t.Errorf("loss %v, want %v", m["loss"], want)
	}
	if !stat.Known(m["bits_per_byte"].Value) {
		t.Errorf("bits per byte %v", m["bits_per_byte"])
	}
	// Short pieces know less of what came before.
	if short, err := Texts(t.Context(), p, tok, documents, 2); err != nil || near(short["loss"].Value, m["loss"].Value, 1e-3) {
		t.Errorf("loss in pieces of 2 tokens %v, error %v", short["loss"], err)
	}
}

func TestChats(t *testing.T) {
	tok := newTokenizer(t)
	chats := []table.Chat{
		asked("a", "who?", "the herd"), asked("b", "whom?", "the llamas"),
		{Messages: user("no answer")},
		asked("too long", strings.Repeat("the herd? ", 40), "yes"),
	}
	m, err := Chats(t.Context(), blank(t, tok, false), tok, chats)
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Log(float64(tok.VocabSize())); !near(m["chat_loss"].Value, want, 1e-5) || m["chat_loss"].N != 2 || m["chats/too_long"] != measure(1, 1, 1, 4) || m["chats/no_turn"] != measure(1, 1, 1, 4) {
		t.Errorf("a model that knows nothing: %v, want %v", m, want)
	}

	p := random(t, tok, false, 1)
	var nats, tokens float64
	for _, c := range chats[:2] {
		turns, err := example.Chats(formatOf(t, tok), c)
		if err != nil {
			t.Fatal(err)
		}
		n, w, err := score.CrossEntropy(t.Context(), p, turns, 100)
		if err != nil {
			t.Fatal(err)
		}
		nats, tokens = nats+n, tokens+w
	}
	if m, err = Chats(t.Context(), p, tok, chats); err != nil || !near(m["chat_loss"].Value, nats/tokens, 1e-5*nats) {
		t.Errorf("chat loss %v, want %v, error %v", m, nats/tokens, err)
	}

	if _, err := Chats(t.Context(), p, tok, chats[2:]); err == nil || !strings.Contains(err.Error(), "no chat") {
		t.Errorf("nothing to measure: error %v", err)
	}
	if _, err := Chats(t.Context(), p, tok, []table.Chat{{Origin: table.Origin{ID: "empty"}}}); err == nil || !strings.Contains(err.Error(), "row empty") {
		t.Errorf("no messages: error %v", err)
	}
}

// TestChatsWithReasoning: a chat of which each turn is laid out by itself is one chat, reasoning
// included, and not measured if one turn is too long.
func TestChatsWithReasoning(t *testing.T) {
	tok := newTokenizer(t)
	source := "{% for m in messages %}{{ '<|start_header_id|>' + m.content }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>{% endif %}"
	tok = tok.WithTemplate(tokenizer.Template{Source: source})
	turn := func(thought string) []chat.Message {
		return append(user("who?"), chat.Message{Role: chat.Assistant, Reasoning: thought, Content: "he"})
	}
	chats := []table.Chat{{Messages: append(turn("hm"), turn("so")...)}, {Messages: append(turn("hm"), turn(strings.Repeat("?", 60))...)}, asked("c", "who?", "he")}
	p := random(t, tok, false, 1)
	m, err := Chats(t.Context(), p, tok, chats)
	if err != nil || m["chat_loss"].N != 2 || m["chats/too_long"] != measure(1, 1, 1, 3) {
		t.Fatalf("%v, error %v", m, err)
	}
	var nats, tokens []float64 // of each chat
	for _, c := range []table.Chat{chats[0], chats[2]} {
		turns, err := example.Chats(formatOf(t, tok).WithReasoning(template.LearnReasoning), c)
		if err != nil {
			t.Fatal(err)
		}
		n, w, err := score.CrossEntropy(t.Context(), p, turns, 100)
		if err != nil {
			t.Fatal(err)
		}
		nats, tokens = append(nats, n), append(tokens, w)
	}
	want := stat.Ratio(nats, tokens)
	if got := m["chat_loss"]; !near(got.Value, want.Value, 1e-5) || !near(got.Low, want.Low, 1e-5) || !near(got.High, want.High, 1e-5) {
		t.Errorf("chat loss %v, want %v", got, want)
	}
	pair := table.Preference{Prompt: user("who?"), Chosen: turn("hm")[1:], Rejected: turn("so")[1:]}
	if m, err := Preferences(t.Context(), p, random(t, tok, false, 2), tok, []table.Preference{pair}); err != nil || m["preference_accuracy"].N != 1 {
		t.Errorf("a pair with reasoning: %v, error %v", m, err)
	}
}
