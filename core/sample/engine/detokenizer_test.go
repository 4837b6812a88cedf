package engine

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/internal/testmodel"
)

func newTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	tok := testmodel.Tokenizer(t, 270, "abcabcab aab abab é")
	return tok
}

// detokenize adds ids to a detokenizer, and returns its text and all deltas.
func detokenize(tok *tokenizer.Tokenizer, ids []token.ID, stops ...string) (text string, deltas []string, ended bool) {
	s := newDetokenizer(tok, sample.Request{Settings: sample.Settings{StopStrings: stops}})
	for _, id := range ids {
		if ended = s.add(id); ended {
			break
		}
		deltas = append(deltas, s.delta())
	}
	s.close()
	return s.String(), append(deltas, s.delta()), ended
}

// TestStopStrings checks that a text ends before its first stop string, wherever tokens
// begin and end, and that no delta holds text that is cut later.
func TestStopStrings(t *testing.T) {
	tok := newTokenizer(t)
	rng := rand.New(rand.NewPCG(1, 1))
	found := 0
	for range 3000 {
		var b strings.Builder
		for range rng.IntN(30) {
			b.WriteString([]string{"a", "b", "c", " ", "é", "\xa9"}[rng.IntN(6)])
		}
		stops := [][]string{nil, {"ab"}, {"aab", "ab", "abc"}, {"caba", "bb"}, {"é a"}, {"a b", "zz"}}[rng.IntN(6)]
		want, ends := b.String(), false
		for _, stop := range stops {
			if i := strings.Index(want, stop); i >= 0 {
				want, ends = want[:i], true
			}
		}
		text, deltas, ended := detokenize(tok, tok.Encode(b.String()), stops...)
		// Of two stop strings that end at different places, the one that ends first counts.
		if len(stops) < 2 && (text != want || ended != ends) {
			t.Errorf("%q with %q: %q, ended %v, want %q, %v", b.String(), stops, text, ended, want, ends)
		}
		if strings.Join(deltas, "") != text {
			t.Errorf("%q with %q: the deltas are %q, the text is %q", b.String(), stops, deltas, text)
		}
		for _, stop := range stops {
			if strings.Contains(text, stop) {
				t.Errorf("%q holds %q", text, stop)
			}
		}
		if ended {
			found++
		}
	}
	if found < 400 {
		t.Errorf("%d texts of 3000 were stopped", found)
	}
}

// TestDeltaAtOnce checks that a delta holds all text that cannot begin a stop string.
func TestDeltaAtOnce(t *testing.T) {
	tok := newTokenizer(t)
	_, deltas, _ := detokenize(tok, tok.Encode("b b c"), "a")
	if slices.Contains(deltas[:len(deltas)-1], "") {
		t.Errorf("deltas %q", deltas)
	}
}

// TestContinues checks that a continuation keeps the blank of a SentencePiece token.
func TestContinues(t *testing.T) {
	tok := sentencePieces(t)
	ids := tok.Encode("ab ab")
	for continues, want := range map[bool]string{false: "ab ab", true: " ab ab"} {
		s := newDetokenizer(tok, sample.Request{Continues: continues})
		for _, id := range ids {
			s.add(id)
		}
		if s.close(); s.String() != want {
			t.Errorf("continues %v: %q, want %q", continues, s, want)
		}
	}
}

func sentencePieces(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	normal := func(text string, score float32) tokenizer.Piece {
		return tokenizer.Piece{Text: text, Score: score, Kind: tokenizer.PieceNormal}
	}
	tok, err := tokenizer.FromPieces(tokenizer.Pieces{
		List: []tokenizer.Piece{
			{Text: "<unk>", Kind: tokenizer.PieceUnknown}, normal("a", -9), normal("b", -9), normal("\u2581", -9), normal("ab", -1), normal("\u2581ab", -2),
		},
		BOS: tokenizer.None, EOS: tokenizer.None, AddDummyPrefix: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestSpecialStops: a stop string may be the name of a special token, or have one within it. The
// text ends before it, without what precedes the token in the stop string.
func TestSpecialStops(t *testing.T) {
	tok := newTokenizer(t)
	end := tok.EOT()
	name := tok.Token(end)
	ids := append(append(tok.Encode("ab"), end), tok.Encode("ca")...)
	for stop, want := range map[string]string{name: "ab", "b" + name: "a", name + "c": "ab", "b" + name + "ca": "a", name + "b": "abca", "bc": "abca"} {
		text, deltas, ended := detokenize(tok, ids, stop)
		if text != want || ended != (want != "abca") || strings.Join(deltas, "") != text {
			t.Errorf("%q: text %q, deltas %q, ended %v, want %q", stop, text, deltas, ended, want)
		}
	}
}
