package tokenizer

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// knownPatterns are the patterns with splitters written by hand.
var knownPatterns = []Pattern{Llama3, Qwen2, GPT2, StarCoder, O200K, Tekken, DeepSeekCoder, Whole, digitRuns + "\n" + GPT2}

// byRegexp2 returns the splitter that runs a pattern with regexp2.
func byRegexp2(t testing.TB, p Pattern) (all splitter) {
	t.Helper()
	for _, line := range p.lines() {
		re, err := line.compile()
		if err != nil {
			t.Fatal(err)
		}
		all = all.then(func(text string) iter.Seq[string] { return isolateMatches(re, text) })
	}
	return all
}

func byHand(t testing.TB, p Pattern) splitter {
	t.Helper()
	split, err := p.splitter()
	if err != nil {
		t.Fatal(err)
	}
	return split
}

func checkSplit(t testing.TB, p Pattern, want splitter, text string) {
	t.Helper()
	if got, want := slices.Collect(byHand(t, p)(text)), slices.Collect(want(text)); !slices.Equal(got, want) {
		t.Errorf("pattern %q on %q: pieces %q, regexp2 has %q", p, text, got, want)
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
		{Qwen2, "a 123", "a¦ ¦1¦2¦3"},
		{StarCoder, "x  12 y", "x¦  ¦1¦2¦ y"},
		{O200K, "camelCase HTTPServer's ÀB a/b//\n12345", "camel¦Case¦ HTTPServer's¦ ÀB¦ a¦/b¦//\n¦123¦45"},
		{O200K, "XʰYZ éÉ́x", "Xʰ¦YZ¦ é¦É́x"},
		{Tekken, "it's 12 ABC", "it¦'s¦ ¦1¦2¦ ABC"},
		{DeepSeekCoder, "if (x) 你好 12\n", "if¦ (¦x¦)¦ ¦你好¦ ¦1¦2¦\n"},
		{Whole, "all of it\n", "all of it\n"},
		{oneLine("[\r\n]\\\n"), "a\r\nb", "a¦\r\n¦b"},
		{oneLine(`\\` + "\n"), "a\\\nb", "a¦\\\n¦b"},
		{`a+`, "baab", "b¦aa¦b"},
		{`(?<=b)a` + "\n" + `\d`, "ba1é2", "b¦a¦1¦é¦2"},
		{`x*`, "\xffxx\xff", "\xff¦xx¦\xff"},
	} {
		if got := strings.Join(slices.Collect(byHand(t, c.pattern)(c.text)), "¦"); got != c.want {
			t.Errorf("pattern %q on %q: got %q, want %q", c.pattern, c.text, got, c.want)
		}
	}
}

func TestSplitEqualsRegexp2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range knownPatterns {
		re := byRegexp2(t, p)
		for _, line := range corpusLines() {
			checkSplit(t, p, re, line)
		}
		for range 3000 {
			checkSplit(t, p, re, randomText(r, 1+r.IntN(40)))
		}
		checkSplit(t, p, re, randomText(r, 20_000))
	}
}

// Every character, alone and between letters, digits and blanks, under patterns that together
// distinguish every class.
func TestSplitEveryCharacter(t *testing.T) {
	var text strings.Builder
	for c := rune(0); c <= utf8.MaxRune; c++ {
		if c > 0x3000 && c%61 != 0 && c < 0xF000 || c > 0x20000 && c%997 != 0 {
			continue // vast uniform blocks: a sample is enough
		}
		text.WriteString("a" + string(c) + "b1" + string(c) + "2 " + string(c) + " '" + string(c))
	}
	for _, p := range []Pattern{Llama3, GPT2, O200K, DeepSeekCoder} {
		checkSplit(t, p, byRegexp2(t, p), text.String())
	}
}

func TestSplitPlantedErrors(t *testing.T) {
	for name, c := range map[string]struct {
		pattern Pattern
		wrong   func(string) int
	}{
		"other pattern": {Llama3, splitGPT2},
		"long s": {Llama3, func(text string) int {
			if strings.HasPrefix(text, "'ſ") {
				return 1
			}
			return splitLlama3(text)
		}},
		"no contractions": {O200K, func(text string) int {
			if n := capitalised(text); n > 0 {
				return n
			}
			return splitO200K(text)
		}},
		"capital given back": {Tekken, func(text string) int {
			if end := upperWord(text, 0); end > 0 && lowerWord(text, 0) < end {
				return end
			}
			return splitTekken(text)
		}},
	} {
		r, differs := rand.New(rand.NewPCG(1, 2)), false
		want := byRegexp2(t, c.pattern)
		for range 3000 {
			text := randomText(r, 1+r.IntN(40))
			differs = differs || !slices.Equal(slices.Collect(repeat(c.wrong)(text)), slices.Collect(want(text)))
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
	f.Add("it'ſ 's'S \r\n \u0085x\u3000 1234½ a\xffb XʰYZ É́x/'LL")
	want := map[Pattern]splitter{}
	for _, p := range knownPatterns {
		want[p] = byRegexp2(f, p)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for p, want := range want {
			checkSplit(t, p, want, text)
		}
	})
}
