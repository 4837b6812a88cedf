package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// asRegexp2 compiles a pattern. regexp2 folds case character by character to
// lower case, in which the long s (U+017F) is not s; the engines of Hugging
// Face and OpenAI let it match (testdata/hf.json has such a text).
func asRegexp2(p Pattern) *regexp2.Regexp {
	return regexp2.MustCompile(strings.Replace(p.String(), `(?i:'s|`, `(?i:'s|'ſ|`, 1), regexp2.None)
}

// bySplitter and byRegexp cut a text into pieces, given as their lengths in
// characters.
func bySplitter(split func(string) int, text string) (lengths []int) {
	for len(text) > 0 {
		n := split(text)
		lengths = append(lengths, utf8.RuneCountInString(text[:n]))
		text = text[n:]
	}
	return lengths
}

func byRegexp(t testing.TB, re *regexp2.Regexp, text string) (lengths []int) {
	m, err := re.FindStringMatch(text)
	for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
		lengths = append(lengths, m.Length)
	}
	if err != nil {
		t.Fatal(err)
	}
	return lengths
}

func checkSplit(t testing.TB, p Pattern, re *regexp2.Regexp, text string) {
	t.Helper()
	if got, want := bySplitter(p.splitter(), text), byRegexp(t, re, text); !slices.Equal(got, want) {
		t.Errorf("pattern %d on %q: pieces of %v characters, regexp2 has %v", p, text, got, want)
	}
}

func TestSplitPieces(t *testing.T) {
	for _, c := range []struct {
		pattern Pattern
		text    string
		want    string // pieces joined by ¦
	}{
		{Llama3, "Hello world!", "Hello¦ world¦!"},
		{Llama3, "don't DON'T 'tis", "don¦'t¦ DON¦'T¦ '¦tis"},
		{Llama3, "it'ſauce", "it¦'ſ¦auce"},
		{Llama3, "1234567", "123¦456¦7"},
		{Llama3, "a\n\n  b  c", "a¦\n\n¦ ¦ b¦ ¦ c"},
		{Llama3, "x;\r\n\n y", "x¦;\r\n\n¦ y"},
		{Llama3, "\tif(_a)", "\tif¦(_¦a¦)"},
		{Llama3, "end  ", "end¦  "},
		{Llama3, "a\xff\xfeb", "a¦\xff\xfe¦b"},
		{GPT2, "Hello world! DON'T don't", "Hello¦ world¦!¦ DON¦'¦T¦ don¦'t"},
		{GPT2, " 1234567\n\nb", " 1234567¦\n¦\n¦b"},
	} {
		var pieces []string
		for text := c.text; len(text) > 0; {
			n := c.pattern.splitter()(text)
			pieces, text = append(pieces, text[:n]), text[n:]
		}
		if got := strings.Join(pieces, "¦"); got != c.want {
			t.Errorf("pattern %d on %q: got %q, want %q", c.pattern, c.text, got, c.want)
		}
	}
}

func TestSplitEqualsRegexp2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range []Pattern{Llama3, GPT2} {
		re := asRegexp2(p)
		for _, line := range corpusLines() {
			checkSplit(t, p, re, line)
		}
		for range 3000 {
			checkSplit(t, p, re, randomText(r, 1+r.IntN(40)))
		}
		checkSplit(t, p, re, randomText(r, 20_000))
	}
}

// Every character, alone and between letters, digits and blanks.
func TestSplitEveryCharacter(t *testing.T) {
	for _, p := range []Pattern{Llama3, GPT2} {
		re := asRegexp2(p)
		var text strings.Builder
		for c := rune(0); c <= utf8.MaxRune; c++ {
			if c > 0x3000 && c%61 != 0 && c < 0xF000 || c > 0x20000 && c%997 != 0 {
				continue // vast uniform blocks: a sample is enough
			}
			text.WriteString("a" + string(c) + "b1" + string(c) + "2 " + string(c) + " '" + string(c))
		}
		checkSplit(t, p, re, text.String())
	}
}

func TestSplitPlantedErrors(t *testing.T) {
	for name, wrong := range map[string]func(string) int{
		"other pattern": splitGPT2,
		"long s": func(text string) int {
			if strings.HasPrefix(text, "'ſ") {
				return 1
			}
			return splitLlama3(text)
		},
	} {
		r, differs := rand.New(rand.NewPCG(1, 2)), false
		for range 3000 {
			text := randomText(r, 1+r.IntN(40))
			differs = differs || !slices.Equal(bySplitter(wrong, text), byRegexp(t, asRegexp2(Llama3), text))
		}
		if !differs {
			t.Errorf("%s: not noticed", name)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, line := range corpusLines() {
		f.Add(line)
	}
	f.Add("it'ſ 's'S \r\n \u0085x\u3000 1234½ a\xffb")
	res := map[Pattern]*regexp2.Regexp{Llama3: asRegexp2(Llama3), GPT2: asRegexp2(GPT2)}
	f.Fuzz(func(t *testing.T, text string) {
		for p, re := range res {
			checkSplit(t, p, re, text)
		}
	})
}
