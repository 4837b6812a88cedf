package tokenizer

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

func TestEncodeAsHuggingFace(t *testing.T) {
	var want golden
	readJSON(t, "hf.json", &want)
	tok := trained(t)
	if len(want.Texts) == 0 {
		t.Fatal("no texts")
	}
	for _, c := range want.Texts {
		if got := tok.EncodeWithSpecial(c.Text); !slices.Equal(got, c.IDs) {
			t.Errorf("%q: got %v, want %v", c.Text, got, c.IDs)
		}
	}
}

func TestBytesHaveGPT2sCharacters(t *testing.T) {
	for raw, spelt := range map[string]string{" the\n": "ĠtheĊ", "\x00\xad\xff": "ĀŃÿ", "ü~": "Ã¼~"} {
		if got := SpellBytes(raw); got != spelt {
			t.Errorf("spell(%q) = %q, want %q", raw, got, spelt)
		}
		if got, err := UnspellBytes(spelt); got != raw || err != nil {
			t.Errorf("UnspellBytes(%q) = %q, %v", spelt, got, err)
		}
	}
	if byteOrder[0] != '!' || byteOrder[220] != ' ' || byteOrder[198] != '\n' || byteOrder[255] != 0xad {
		t.Errorf("order of bytes %v", byteOrder)
	}
}

func TestSpecialTokens(t *testing.T) {
	tok := trained(t)
	if got := []token.ID{tok.BOS(), tok.EOS(), tok.EOT()}; !slices.Equal(got, []token.ID{656, 657, 660}) {
		t.Errorf("BOS, EOS, EOT are %v", got)
	}
	if tok.VocabSize() != 661 || tok.Token(660) != NameEndOfTurn || tok.Token(661) != "" || tok.Token(-1) != "" {
		t.Error("wrong end of the vocabulary")
	}
	text := "a" + NameEndOfTurn + "b"
	if ids := tok.Encode(text); slices.ContainsFunc(ids, tok.IsSpecial) || tok.Decode(ids) != text {
		t.Errorf("Encode recognised a special token: %v", ids)
	}
	ids := tok.EncodeWithSpecial(text)
	if want := []token.ID{64, 660, 65}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
	if tok.Decode(ids) != text || tok.DecodeSkipSpecial(ids) != "ab" {
		t.Errorf("decodes to %q and %q", tok.Decode(ids), tok.DecodeSkipSpecial(ids))
	}
	if id, ok := tok.Special("a"); ok || id != None {
		t.Errorf("a is special: %d", id)
	}
	if got := tok.Prompt("b"); !slices.Equal(got, []token.ID{656, 65}) {
		t.Errorf("prompt is %v", got)
	}
}

func TestAddedTokensLongestOfLeftmost(t *testing.T) {
	v := bytesVocabulary().withSpecial([]string{"<a>", "<a><b>", "b>", "[["})
	tok, err := New(v)
	if err != nil {
		t.Fatal(err)
	}
	want := []token.ID{257, 256, 64, 258, 259}
	if got := tok.EncodeWithSpecial("<a><b><a>ab>[["); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzRoundTrip(f *testing.F) {
	tok := trained(f)
	f.Add("the herd\xff\xfe\n\n  " + NameEndOfTurn)
	for _, line := range corpusLines() {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkRoundTrip(t, tok, text)
	})
}

func TestRoundTrip(t *testing.T) {
	tok := trained(t)
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		checkRoundTrip(t, tok, randomText(r, r.IntN(60)))
	}
}

// checkRoundTrip checks that the ids of text decode to it, both at once and token by token.
func checkRoundTrip(t *testing.T, tok *Tokenizer, text string) {
	t.Helper()
	for _, ids := range [][]token.ID{tok.Encode(text), tok.EncodeWithSpecial(text)} {
		if got := tok.Decode(ids); got != text {
			t.Errorf("%q decodes to %q", text, got)
		}
		checkStream(t, tok, ids, false)
		checkStream(t, tok, ids, true)
	}
}

// Goroutines share the cache, which must return the computed ids: run with -race.
func TestConcurrentEncode(t *testing.T) {
	tok := trained(t)
	r := rand.New(rand.NewPCG(9, 10))
	var texts []string
	var want [][]token.ID
	for range 50 {
		text := randomText(r, 200)
		texts, want = append(texts, text), append(want, trainedUncached(t, tok).Encode(text))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, text := range texts {
				if got := tok.Encode(text); !slices.Equal(got, want[i]) {
					t.Errorf("%q: got %v, want %v", text, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// trainedUncached returns tok with an empty cache.
func trainedUncached(t testing.TB, tok *Tokenizer) *Tokenizer {
	fresh, err := New(tok.vocab)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}
