package tokenizer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

func everywhere(int, int, token.ID) bool { return true }

// TestPlaced checks that the ids equal those of the text, and that each place holds the token's
// bytes.
func TestPlaced(t *testing.T) {
	tok := trained(t)
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		text := randomText(r, r.IntN(40))
		if err := checkPlaced(tok, text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
}

func checkPlaced(tok *Tokenizer, text string) error {
	p, err := tok.EncodePlaced(text, everywhere)
	if err != nil {
		return err
	}
	if want := tok.EncodeWithSpecial(text); !slices.Equal(p.IDs, want) {
		return fmt.Errorf("ids %v, want %v", p.IDs, want)
	}
	start := 0
	for i, id := range p.IDs {
		if p.Ends[i] < start || tok.Token(id) != text[start:p.Ends[i]] {
			return fmt.Errorf("token %d, %q, stands at %q", i, tok.Token(id), text[start:p.Ends[i]])
		}
		start = p.Ends[i]
	}
	if start != len(text) {
		return fmt.Errorf("the tokens end at %d of %d bytes", start, len(text))
	}
	return nil
}

// TestPlacedAllows checks that EncodePlaced recognises an added token only where allowed accepts
// it. Elsewhere its name is text.
func TestPlacedAllows(t *testing.T) {
	tok := trained(t)
	text := "a" + NameEndOfTurn + "b" + NameEndOfTurn
	second := strings.LastIndex(text, NameEndOfTurn)
	p, err := tok.EncodePlaced(text, func(start, end int, id token.ID) bool {
		if text[start:end] != NameEndOfTurn || id != tok.EOT() {
			t.Errorf("asked for %q, %d", text[start:end], id)
		}
		return start == second
	})
	if err != nil {
		t.Fatal(err)
	}
	want := append(tok.Encode(text[:second]), tok.EOT())
	if !slices.Equal(p.IDs, want) {
		t.Errorf("ids %v, want %v", p.IDs, want)
	}
}

// TestPlacedCuts checks that no token spans a cut, and that each part has the tokens that it has
// alone.
func TestPlacedCuts(t *testing.T) {
	tok := trained(t)
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		text := "the herders herd" + NameEndOfTurn + randomText(r, r.IntN(20)) + " the herd"
		first := r.IntN(len(text) + 1)
		second := first + r.IntN(len(text)-first+1)
		got, err := tok.EncodePlaced(text, func(int, int, token.ID) bool { return false }, first, second)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(tok.Encode(text[:first]), tok.Encode(text[first:second]), tok.Encode(text[second:]))
		if !slices.Equal(got.IDs, want) {
			t.Fatalf("%q cut at %d and %d: %v, want %v", text, first, second, got.IDs, want)
		}
	}
}

// TestPlacedNormalised checks that places refer to the original text, even if the vocabulary
// normalises it or replaces blanks.
func TestPlacedNormalised(t *testing.T) {
	all := kinds(t)
	byForm := trained(t).vocab
	byForm.Form = "NFC"
	form, err := New(byForm)
	if err != nil {
		t.Fatal(err)
	}
	all["NFC"] = form
	for kind, tok := range all {
		for _, text := range []string{"", "the herd", " the  herds", "a e\u0301 e\u0301\u0301x", "ab</s>the</s> a", "a b"} {
			p, err := tok.EncodePlaced(text, everywhere)
			if err != nil {
				t.Errorf("%s: %q: %v", kind, text, err)
				continue
			}
			if want := tok.EncodeWithSpecial(text); !slices.Equal(p.IDs, want) {
				t.Errorf("%s: %q: ids %v, want %v", kind, text, p.IDs, want)
			}
			start := 0
			for i, id := range p.IDs {
				if p.Ends[i] < start || p.Ends[i] > len(text) {
					t.Fatalf("%s: %q: ends %v", kind, text, p.Ends)
				}
				here, shown := text[start:p.Ends[i]], tok.Token(id)
				if tok != form && shown != here && shown != " "+here {
					t.Errorf("%s: %q: token %d, %q, stands at %q", kind, text, i, shown, here)
				}
				start = p.Ends[i]
			}
			if start != len(text) {
				t.Errorf("%s: %q: the tokens end at %d", kind, text, start)
			}
		}
	}
	// The accent joins the letter before it. The result begins at the letter, and the text after
	// it keeps its place.
	p, err := form.EncodePlaced("ae\u0301b", everywhere)
	if err != nil || p.Ends[0] != 1 || p.Ends[len(p.Ends)-1] != 5 || p.Ends[len(p.Ends)-2] != 4 {
		t.Errorf("ends %v, %v: want 1, ..., 4, 5", p.Ends, err)
	}
}
