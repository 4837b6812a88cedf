package tokenizer

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// gunzipped reads a compressed file of ../shared/data, or skips the test.
func gunzipped(t testing.TB, name string) []byte {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(shared(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func llama2JSON(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := parse(gunzipped(t, "tokenizer/llama2-tokenizer.json.gz"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// kinds returns a SentencePiece vocabulary for each way to treat blanks.
func kinds(t testing.TB) map[string]*Tokenizer {
	all := map[string]*Tokenizer{}
	for _, b := range []Blanks{BlanksSections, BlanksKept, BlanksFirst, BlanksAlways, BlanksNever} {
		for _, words := range []bool{false, true} {
			if words && b < BlanksFirst {
				continue // tokenizer.json cannot express this
			}
			v, err := smallPieces().vocabulary()
			if err != nil {
				t.Fatal(err)
			}
			v.Added = append(v.Added, Added{ID: token.ID(len(v.Tokens)), Text: "<n>", Normalized: true})
			v.Tokens = append(v.Tokens, "<n>")
			v.SentencePiece.Blanks, v.SentencePiece.Words = b, words
			v.SentencePiece.Strip = b.prefixed()
			all[fmt.Sprint(b, words)] = mustNew(t, v)
		}
	}
	return all
}

func TestSentencePieceBlanks(t *testing.T) {
	const text = "the</s>the <n>  a"
	for kind, want := range map[string]string{
		"0 false": "▁the|</s>|▁the|<n>|▁▁|a",
		"1 false": "t|he|</s>|t|he|▁|<n>|▁▁|a",
		"2 false": "▁the|</s>|t|he|▁|<n>|▁▁|a",
		"2 true":  "▁the|</s>|t|he|▁|<n>|▁|▁|a",
		"3 false": "▁the|</s>|▁the|▁|<n>|▁▁|a",
		"4 true":  "t|he|</s>|t|he|▁|<n>|▁|▁|a",
	} {
		tok := kinds(t)[kind]
		var got []string
		for _, id := range tok.EncodeWithSpecial(text) {
			got = append(got, tok.vocab.Tokens[id])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("blanks %s: got %s, want %s", kind, strings.Join(got, "|"), want)
		}
	}
}

func TestSentencePieceSaveLoad(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 52))
	for kind, tok := range kinds(t) {
		got, err := Load(saved(t, tok))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if got.Digest() != tok.Digest() {
			t.Errorf("%s: another digest", kind)
		}
		for range 100 {
			text := strings.ToValidUTF8(randomText(r, 30), "") + " <n></s>  <x>"
			if a, b := got.EncodeWithSpecial(text), tok.EncodeWithSpecial(text); !slices.Equal(a, b) {
				t.Errorf("%s: %q becomes %v, was %v", kind, text, a, b)
			}
		}
	}
}

// Any bytes come back unchanged, both at once and token by token.
func TestSentencePieceRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(53, 54))
	for _, tok := range []*Tokenizer{fromPieces(t, smallPieces()), kinds(t)["1 false"], kinds(t)["4 true"]} {
		for range 1000 {
			text := strings.ReplaceAll(randomText(r, r.IntN(60)), blank, "")
			checkRoundTrip(t, tok, text)
			checkRoundTrip(t, tok, " "+text)
		}
	}
}

func FuzzSentencePiece(f *testing.F) {
	tok := fromPieces(f, smallPieces())
	plain := *tok
	plain.split = repeat(whole)
	plain.cache = newPieceCache()
	kept := kinds(f)["1 false"] // puts no blank after added tokens
	f.Add("the herd\xff\xfe\n\n  <x></s> aaaa llama")
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.Contains(text, blank) {
			checkRoundTrip(t, kept, text)
		}
		if got, want := tok.Encode(text), plain.Encode(text); !slices.Equal(got, want) {
			t.Errorf("%q: cut %v, whole %v", text, got, want)
		}
	})
}

// TestCutsChangeNothing checks that splitting text where nothing merges changes no ids.
func TestCutsChangeNothing(t *testing.T) {
	check := func(tok *Tokenizer, planted bool) {
		t.Helper()
		plain := *tok
		plain.split, plain.cache = repeat(whole), newPieceCache()
		if planted {
			j := newJoints(tok)
			j.common['l'] = row{}
			tok.split, tok.cache = repeat(j.firstPiece), newPieceCache()
		}
		r, differs := rand.New(rand.NewPCG(55, 56)), false
		for range 1000 {
			text := randomText(r, r.IntN(40)) + randomPiece(r, r.IntN(60))
			if got, want := tok.Encode(text), plain.Encode(text); !slices.Equal(got, want) {
				differs = true
				if !planted {
					t.Errorf("%q: cut %v, whole %v", text, got, want)
				}
			}
		}
		if planted && !differs {
			t.Error("a wrong cut is not noticed")
		}
	}
	check(fromPieces(t, smallPieces()), true)
	for _, tok := range []*Tokenizer{fromPieces(t, smallPieces()), kinds(t)["1 false"]} {
		if newJoints(tok) == nil {
			t.Error("nothing is cut")
		}
		check(tok, false)
	}
	check(llama2JSON(t), false)
}

// herd may not split text if unknown characters fuse, or if a whole section may be a token.
func TestNoCuts(t *testing.T) {
	v, err := smallPieces().vocabulary()
	if err != nil {
		t.Fatal(err)
	}
	v.SentencePiece.ByteFallback = false
	tok := mustNew(t, v)
	if got, want := tok.Encode("日本a語"), []token.ID{tok.ids["▁"], 0, tok.ids["a"], 0}; !slices.Equal(got, want) {
		t.Errorf("fused: %v, want %v", got, want)
	}
	unfused := *v.SentencePiece
	unfused.FuseUnknown = false
	v.SentencePiece = &unfused
	if got := mustNew(t, v).Encode("日本a語"); !slices.Equal(got, []token.ID{tok.ids["▁"], 0, 0, tok.ids["a"], 0}) {
		t.Errorf("not fused: %v", got)
	}
	if unfused.Unknown = ""; len(mustNew(t, v).Encode("日a")) != 2 {
		t.Error("an unknown character shows without a token for it")
	}
}

// A section may have any length, so the time must not be quadratic.
func TestLongSection(t *testing.T) {
	tok := fromPieces(t, smallPieces())
	for _, text := range []string{strings.Repeat("llama", 50_000), strings.Repeat(" ", 200_000), strings.Repeat("日", 50_000)} {
		if tok.Decode(tok.Encode(text)) != text {
			t.Error("does not decode to itself")
		}
	}
}

// Some files have merges that end in a special token.
func TestMergesDoNotForge(t *testing.T) {
	v, err := smallPieces().vocabulary()
	if err != nil {
		t.Fatal(err)
	}
	id := func(text string) token.ID { return token.ID(slices.Index(v.Tokens, text)) }
	v.Tokens = append(v.Tokens, "</", "s>")
	v.Merges = append(v.Merges, [2]token.ID{id("<"), id("/")}, [2]token.ID{id("s"), id(">")}, [2]token.ID{id("</"), id("s>")})
	ids := mustNew(t, v).Encode("a</s>")
	if got := ids[len(ids)-2:]; !slices.Equal(got, []token.ID{id("</"), id("s>")}) {
		t.Errorf("the other merges are gone: %v", ids)
	}
	if slices.Contains(ids, 2) {
		t.Errorf("text forges </s>: %v", ids)
	}
}

func TestLoadSentencePieceRefuses(t *testing.T) {
	good, err := encodeJSON(fromPieces(t, smallPieces()).file(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"Prepend","prepend":"▁"`, `"Prepend","prepend":" "`, "normalizer Prepend is not supported"},
		{`"content":"▁"`, `"content":"_"`, "normalizer Replace is not supported"},
		{`{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}`, `{"type":"Prepend","prepend":"▁"}`, "expected Prepend and then Replace"},
		{`{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}`, ``, "pre_tokenizer is missing"},
		{`"pre_tokenizer":null`, `"pre_tokenizer":{"type":"Whitespace"}`, "pre_tokenizer Whitespace is not supported"},
		{`"pre_tokenizer":null`, `"pre_tokenizer":{"type":"Metaspace","replacement":"▁"}`, "no normalizer that inserts it"},
		{`{"type":"Fuse"},`, ``, "decoder"},
		{`"start":1`, `"start":2`, "expected Strip of one blank"},
		{`"unk_token":"<unk>"`, `"unk_token":"<what>"`, `the unknown token is "<what>"`},
		{`"▁ t"`, `"▁ 日"`, "is not in model.vocab"},
	} {
		if !bytes.Contains(good, []byte(c.old)) {
			t.Fatalf("no %s", c.old)
		}
		if _, err := parse(bytes.Replace(good, []byte(c.old), []byte(c.new), 1), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: got error %v, want %q", c.new, c.old, err, c.want)
		}
	}
}
