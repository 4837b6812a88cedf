package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// For fewer than 31 marks, Go's norm follows the standard's algorithm.
func TestFormsByStepsAreNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	parts := []string{"a", "e", "é", "ﬁ", "\u212b", "\u0301", "\u0327", "\u0315", "\u0323", "\u0344", "\u0958", "가", "ᄀ", "ᅡ", "ᆨ", "ｶ", "ﾞ", "क", "\u093c", "𝅗𝅥", "\xff", " "}
	for range 3000 {
		var text strings.Builder
		for range r.IntN(12) {
			text.WriteString(parts[r.IntN(len(parts))])
		}
		for _, f := range forms {
			if got, want := f.applyPlainly(text.String()), f.apply(text.String()); got != want {
				t.Errorf("%s of %+q: %+q by steps, norm has %+q", f, text.String(), got, want)
			}
		}
	}
}

func TestFormsOfManyMarks(t *testing.T) {
	text := "a" + strings.Repeat("\u0301\u0327", 40)
	for f, want := range map[Form]string{
		"":    text,
		"NFD": "a" + strings.Repeat("\u0327", 40) + strings.Repeat("\u0301", 40),
		"NFC": "á" + strings.Repeat("\u0327", 40) + strings.Repeat("\u0301", 39),
	} {
		if got := f.apply(text); got != want {
			t.Errorf("%s is %+q", f, got)
		}
	}
}

// Normalisation leaves characters newer than Unicode 9 unchanged. They separate the text on both
// sides.
func TestFormsKnowUnicode9(t *testing.T) {
	for text, want := range map[string]string{
		"\u32ff \ufb01 \u33a0":                         "\u32ff fi cm2",
		"\U00011935\U00011930":                         "\U00011935\U00011930",
		"e\u1abf\u0323\u0301e\u0301\u32ff\u0301\u0323": "e\u1abf\u0323\u0301\u00e9\u32ff\u0323\u0301",
	} {
		if got := Form("NFKC").apply(text); got != want {
			t.Errorf("%+q becomes %+q, want %+q", text, got, want)
		}
	}
}
