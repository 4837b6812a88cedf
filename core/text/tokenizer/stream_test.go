package tokenizer

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// checkStream checks that the parts of a stream join to the result of decoding at once, and that no
// part ends within a character.
func checkStream(t *testing.T, tok *Tokenizer, ids []token.ID, skip bool) {
	t.Helper()
	stream := tok.Stream()
	stream.SkipSpecial = skip
	var got strings.Builder
	for _, id := range ids {
		part := stream.Next(id)
		if utf8.ValidString(tok.decode(ids, skip)) && !utf8.ValidString(part) {
			t.Errorf("part %q of %q is not whole", part, tok.Decode(ids))
		}
		got.WriteString(part)
	}
	got.WriteString(stream.Flush())
	if want := tok.decode(ids, skip); got.String() != want {
		t.Errorf("stream gives %q, want %q", got.String(), want)
	}
}

func TestStreamHoldsBack(t *testing.T) {
	tok, err := New(bytesVocabulary().withSpecial([]string{NameEndOfTurn}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want string // output for each byte, then of Flush, joined by ¦
	}{
		{"aé🦙b", "a¦¦é¦¦¦¦🦙¦b¦"},
		{"\xf0\x9f", "¦¦\xf0\x9f"},
		{"\xf0\x9fa", "¦¦\xf0\x9fa¦"},
		{"\xff\x80\xc3", "\xff¦\x80¦¦\xc3"},
		{"\xe4\xf0", "¦\xe4¦\xf0"},
	} {
		stream, got := tok.Stream(), ""
		for _, id := range tok.Encode(c.text) {
			got += stream.Next(id) + "¦"
		}
		if got += stream.Flush(); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	stream := tok.Stream()
	stream.SkipSpecial = true
	if got := stream.Next(tok.EOT()) + stream.Flush(); got != "" {
		t.Errorf("special token shows as %q", got)
	}
}
