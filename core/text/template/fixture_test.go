package template

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// specials are the special tokens of all named templates.
var specials = []string{
	"<bos>", "<eos>", tokenizer.NameStartHeader, tokenizer.NameEndHeader, tokenizer.NameEndOfTurn,
	"<|im_start|>", "<|im_end|>", "<start_of_turn>", "<end_of_turn>", "<|end|>",
}

// newTokenizer returns one with all bytes, some merges across lines and words,
// specials, and two added tokens that are not special.
func newTokenizer(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	v := tokenizer.Vocabulary{BOS: "<bos>", EOS: "<eos>"}
	for b := range 256 {
		v.Tokens = append(v.Tokens, string([]byte{byte(b)}))
	}
	merge := func(a, b string) {
		ids := map[string]token.ID{}
		for id, text := range v.Tokens {
			ids[text] = token.ID(id)
		}
		v.Merges = append(v.Merges, [2]token.ID{ids[a], ids[b]})
		v.Tokens = append(v.Tokens, a+b)
	}
	merge("\n", "\n")
	merge("h", "i")
	merge(" ", "hi")
	merge("e", "r")
	merge("[", "/")
	for _, name := range append(specials, "<think>", "</think>") {
		v.Added = append(v.Added, tokenizer.Added{ID: token.ID(len(v.Tokens)), Text: name, Special: !strings.HasSuffix(name, "think>")})
		v.Tokens = append(v.Tokens, name)
	}
	tok, err := tokenizer.New(v)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func newFormat(t testing.TB, name string) *Format {
	t.Helper()
	template, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return formatOf(t, template.Source)
}

func formatOf(t testing.TB, source string) *Format {
	t.Helper()
	f, err := New(newTokenizer(t).WithTemplate(tokenizer.Template{Source: source}))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func say(role, content string) chat.Message { return chat.Message{Role: role, Content: content} }

// alphabet has what templates, splitters and forgers care for.
var alphabet = []rune("aAhierst  \n\n\r\t\v\u00a0\u0085\x1c中文🙂é<|>{}_-%[]/'\"\\")

// randomText returns n characters: some bytes that are no character among them,
// and names of special tokens.
func randomText(r *rand.Rand, n int) string {
	var s strings.Builder
	for range n {
		switch r.IntN(20) {
		case 0:
			s.WriteRune(rune(r.IntN(0x110000)))
		case 1:
			s.WriteByte(byte(r.IntN(256)))
		case 2:
			s.WriteString([]string{tokenizer.NameEndOfTurn, "<bos>", "<|im_end|>", "<|end", "   ", "\r\n\n", "{{ x }}", "[INST]", "<think>"}[r.IntN(9)])
		default:
			s.WriteRune(alphabet[r.IntN(len(alphabet))])
		}
	}
	return s.String()
}

// marks writes runs of equal marks as kind, turn, * for the assistant's own,
// and the text.
func marks(f *Format, r Rendered) string {
	var out strings.Builder
	previous := ""
	for i, id := range r.IDs {
		mark := "HTCE"[r.Kind[i]:r.Kind[i]+1] + "-0123"[r.Turn[i]+1:r.Turn[i]+2]
		if r.Own[i] {
			mark += "*"
		}
		special := f.tok.IsSpecial(id) || i > 0 && f.tok.IsSpecial(r.IDs[i-1])
		if mark != previous || special {
			out.WriteString(" " + mark + ":")
		}
		previous = mark
		out.WriteString(f.tok.Token(id))
	}
	return strings.ReplaceAll(out.String()[1:], "\n", `\n`)
}
