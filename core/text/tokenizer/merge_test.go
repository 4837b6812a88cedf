package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/token"
)

// applyPlainly is BPE as in the papers: find the best pair, merge its leftmost occurrence, and
// repeat.
func applyPlainly(t mergeTable, ids []token.ID) []token.ID {
	for {
		best := -1
		for i := 0; i+1 < len(ids); i++ {
			if m := t.lookup(ids[i], ids[i+1]); m.rank != noRank && (best < 0 || m.rank < t.lookup(ids[best], ids[best+1]).rank) {
				best = i
			}
		}
		if best < 0 {
			return ids
		}
		ids[best] = t.lookup(ids[best], ids[best+1]).into
		ids = slices.Delete(ids, best+1, best+2)
	}
}

func TestMergesEqualPlainBPE(t *testing.T) {
	tok := trained(t)
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 300 {
		var ids []token.ID
		for _, b := range []byte(randomPiece(r, n)) {
			ids = append(ids, tok.base[b])
		}
		want := applyPlainly(tok.merges, slices.Clone(ids))
		long := slices.Clone(ids)
		if got := long[:tok.merges.applyLong(long)]; !slices.Equal(got, want) {
			t.Errorf("by heap: %v, plainly: %v", got, want)
		}
		if len(ids) < longPiece {
			if got := ids[:tok.merges.applyShort(ids)]; !slices.Equal(got, want) {
				t.Errorf("by search: %v, plainly: %v", got, want)
			}
		}
	}
}

// randomPiece joins words and letters of the corpus to n bytes or a few more.
func randomPiece(r *rand.Rand, n int) string {
	words := []string{"herd", "llama", " the", "aa", "ab", "a", "b", "l", "e", "ing", "羊驼", "count", "\xff"}
	var s strings.Builder
	for s.Len() < n {
		s.WriteString(words[r.IntN(len(words))])
	}
	return s.String()
}

// A piece may have any length, so the time must not be quadratic.
func TestLongPiece(t *testing.T) {
	tok := trained(t)
	text := strings.Repeat("llama", 100_000)
	start := time.Now()
	ids := tok.Encode(text)
	if took := time.Since(start); took > time.Minute {
		t.Errorf("a piece of %d bytes took %v", len(text), took)
	}
	if tok.Decode(ids) != text {
		t.Error("does not decode to itself")
	}
}

func TestWholePieces(t *testing.T) {
	v := bytesVocabulary("ab", "bc", "abc")
	v.Merges = [][2]token.ID{{v.id("b"), v.id("c")}} // abc cannot be reached
	for whole, want := range map[bool][]token.ID{true: {v.id("abc")}, false: {v.id("a"), v.id("bc")}} {
		v.WholePieces = whole
		tok, err := New(v.Vocabulary)
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Encode("abc"); !slices.Equal(got, want) {
			t.Errorf("WholePieces %v: got %v, want %v", whole, got, want)
		}
	}
}

// smallVocabulary is a small Vocabulary for tests.
type smallVocabulary struct{ Vocabulary }

func bytesVocabulary(more ...string) smallVocabulary {
	v := smallVocabulary{}
	for _, b := range byteOrder {
		v.Tokens = append(v.Tokens, string([]byte{b}))
	}
	v.Tokens = append(v.Tokens, more...)
	return v
}

func (v smallVocabulary) id(text string) token.ID { return token.ID(slices.Index(v.Tokens, text)) }

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*Vocabulary)
		want   string
	}{
		{func(v *Vocabulary) { v.Tokens = v.Tokens[1:] }, "byte 0x21 has no token"},
		{func(v *Vocabulary) { v.Tokens = append(v.Tokens, "a") }, `are both "a"`},
		{func(v *Vocabulary) { v.Tokens = append(v.Tokens, "") }, "token 256 is empty"},
		{func(v *Vocabulary) { v.Merges = [][2]token.ID{{64, 65}} }, `merge 0 makes "ab", which is not a token`},
		{func(v *Vocabulary) { v.Merges = [][2]token.ID{{64, 1000}} }, "merge 0 joins token 1000"},
		{func(v *Vocabulary) {
			v.Tokens = append(v.Tokens, "ab")
			v.Merges = [][2]token.ID{{64, 65}, {64, 65}}
		}, "merges 0 and 1 are the same"},
		{func(v *Vocabulary) { v.Added = []Added{{ID: -1, Text: "x"}} }, `added token "x" has id -1`},
		{func(v *Vocabulary) { v.Added = []Added{{ID: 64, Text: "x"}} }, `added token "x" has id 64`},
		{func(v *Vocabulary) { *v = v.withSpecial([]string{"<x>", "<x>"}) }, "empty or a duplicate"},
		{func(v *Vocabulary) { v.BOS = "<s>" }, `beginning of text is "<s>"`},
	} {
		v := bytesVocabulary().Vocabulary
		c.change(&v)
		if _, err := New(v); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
	}
}
