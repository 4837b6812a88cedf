package template

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// TestOrdinaryText: the ids are those of the text as a whole, as
// apply_chat_template gives them, if no message has the name of a special token and
// no token spans the border to the assistant's words.
func TestOrdinaryText(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, name := range Names {
		f := newFormat(t, name)
		for range 200 {
			user := say("user", strings.ReplaceAll(randomText(r, r.IntN(20)), "<", ""))
			answer := say(chat.Assistant, "hi"+strings.ReplaceAll(randomText(r, r.IntN(20)), "<", ""))
			for _, messages := range [][]chat.Message{{user}, {user, answer}, {user, answer, user, answer}} {
				values, err := valuesOf(messages)
				if err != nil {
					t.Fatal(err)
				}
				text, err := f.render(values, false)
				if err != nil {
					t.Fatal(err)
				}
				got, err := f.Chat(messages)
				if err != nil {
					t.Fatal(err)
				}
				if want := f.tok.EncodeWithSpecial(text.String()); !slices.Equal(got.IDs, want) {
					t.Fatalf("%s: %q is %v, want %v", name, text, got.IDs, want)
				}
			}
		}
	}
}

// TestWholePieces: the tokens before the border are those that a model is given, also
// where the same text would be others in front of other words.
func TestWholePieces(t *testing.T) {
	v := tokenizer.Vocabulary{WholePieces: true}
	for b := range 256 {
		v.Tokens = append(v.Tokens, string([]byte{byte(b)}))
	}
	v.Tokens = append(v.Tokens, "ab", "<end>") // no merge makes ab: it is a token only as a whole piece
	v.Added = []tokenizer.Added{{ID: 257, Text: "<end>", Special: true}}
	tok, err := tokenizer.New(v)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(tok.WithTemplate(tokenizer.Template{Source: "{% for m in messages %}{{ ('ab' if m.role == 'assistant' else '') + m.content + '<end>' }}{% endfor %}{% if add_generation_prompt %}ab{% endif %}"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkContinue(f, []chat.Message{say("user", "?")}, []chat.Message{say(chat.Assistant, "c")}); err != nil {
		t.Error(err)
	}
}

// TestRoleTokens: a template may build a special token from the name of a role. It is the same
// token in a chat as in the generation prompt. Other text in the place of a role forges nothing.
func TestRoleTokens(t *testing.T) {
	v := newTokenizer(t).Vocabulary()
	v.Tokens, v.Added = slices.Clone(v.Tokens), slices.Clone(v.Added)
	for _, name := range []string{"<|user|>", "<|assistant|>"} {
		v.Added = append(v.Added, tokenizer.Added{ID: token.ID(len(v.Tokens)), Text: name, Special: true})
		v.Tokens = append(v.Tokens, name)
	}
	tok, err := tokenizer.New(v)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(tok.WithTemplate(tokenizer.Template{Source: "{% for m in messages %}{{ '<|' + m.role + '|>' }}\n{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"}))
	if err != nil {
		t.Fatal(err)
	}
	user, _ := tok.Special("<|user|>")
	assistant, _ := tok.Special("<|assistant|>")
	if err := checkContinue(f, []chat.Message{say("user", "<|user|>a")}, []chat.Message{say(chat.Assistant, "b")}); err != nil {
		t.Error(err)
	}
	r, err := f.Chat([]chat.Message{say("user", "<|user|>"), say(chat.Assistant, "<|assistant|>"), say("user|><|assistant", "x"), say("im_end", "y")})
	if err != nil {
		t.Fatal(err)
	}
	count := map[token.ID]int{}
	for _, id := range r.IDs {
		count[id]++
	}
	if count[user] != 1 || count[assistant] != 1 {
		t.Errorf("%d and %d tokens of roles, want 1 of each", count[user], count[assistant])
	}
}

// TestBorder: where a token would span the border to the assistant's words, text is
// cut there; elsewhere it is not.
func TestBorder(t *testing.T) {
	f := newFormat(t, "chatml")
	for _, c := range []struct {
		answer string
		first  string
	}{{"\nhi", "\n"}, {"hi", "hi"}, {" hi", " hi"}} {
		_, after, err := f.Continue([]chat.Message{say("user", "a")}, []chat.Message{say(chat.Assistant, c.answer)})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.tok.Token(after.IDs[0]); got != c.first {
			t.Errorf("%q begins with the token %q, want %q", c.answer, got, c.first)
		}
	}
	// A user's words are one run with what the template writes around them.
	r, err := f.Prompt([]chat.Message{say("user", "\nhi")})
	if err != nil {
		t.Fatal(err)
	}
	if want := f.tok.EncodeWithSpecial("<|im_start|>user\n\nhi<|im_end|>\n<|im_start|>assistant\n"); !slices.Equal(r, want) {
		t.Errorf("%v, want %v", r, want)
	}
}
