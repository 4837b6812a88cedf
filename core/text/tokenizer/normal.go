package tokenizer

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Form is the form of Unicode normalisation (UAX 15) that a tokenizer applies to text before it
// splits the text into pieces: NFC, NFD, NFKC, NFKD, or "" for none.
type Form string

var forms = []Form{"NFC", "NFD", "NFKC", "NFKD"}

func (f Form) check() error {
	if f != "" && !slices.Contains(forms, f) {
		return fmt.Errorf("unknown normalisation %q: expected NFC, NFD, NFKC, NFKD or none", f)
	}
	return nil
}

// norms holds the decomposition of each form, and whether composition follows.
var norms = map[Form]struct {
	whole, apart norm.Form
	composes     bool
}{
	"NFC":  {norm.NFC, norm.NFD, true},
	"NFD":  {norm.NFD, norm.NFD, false},
	"NFKC": {norm.NFKC, norm.NFKD, true},
	"NFKD": {norm.NFKD, norm.NFKD, false},
}

// joiner is the combining grapheme joiner. Go's norm inserts it if a character has more than 30
// marks (UAX 15's stream-safe format); other libraries do not.
const joiner = "\u034f"

// apply normalises text as Hugging Face's tokenizers do, by Unicode 9. Bytes that
// are not UTF-8 stay as they are.
func (f Form) apply(text string) string {
	if f == "" {
		return text
	}
	if strings.IndexFunc(text, isNewer) < 0 {
		return f.applyToday(text)
	}
	var normal strings.Builder
	for len(text) > 0 {
		i := strings.IndexFunc(text, isNewer)
		if i < 0 {
			i = len(text)
		}
		normal.WriteString(f.applyToday(text[:i]))
		text = text[i:]
		last := len(text) - len(strings.TrimLeftFunc(text, isNewer))
		normal.WriteString(text[:last])
		text = text[last:]
	}
	return normal.String()
}

// applyToday normalises by the Unicode of golang.org/x/text.
func (f Form) applyToday(text string) string {
	normal := norms[f].whole.String(text)
	if strings.Count(normal, joiner) != strings.Count(text, joiner) {
		return f.applyPlainly(text)
	}
	return normal
}

// applyPlainly performs the three steps of the standard one by one: decomposition, order of
// marks, composition.
func (f Form) applyPlainly(text string) string {
	var chars []string
	for len(text) > 0 {
		n := firstRune(text)
		apart := norms[f].apart.String(text[:n])
		for text = text[n:]; len(apart) > 0; apart = apart[n:] {
			n = firstRune(apart)
			chars = append(chars, apart[:n])
		}
	}
	for i := 0; i < len(chars); {
		end := i + 1
		for end < len(chars) && combining(chars[end]) != 0 {
			end++
		}
		slices.SortStableFunc(chars[i:end], func(a, b string) int { return int(combining(a)) - int(combining(b)) })
		i = end
	}
	if norms[f].composes {
		chars = compose(chars)
	}
	return strings.Join(chars, "")
}

// combining returns the canonical combining class of a character.
func combining(char string) uint8 { return norm.NFD.PropertiesString(char).CCC() }

// compose joins characters with the last starter before them, unless a character of the same
// class lies between.
func compose(chars []string) []string {
	starter, class := -1, uint8(0) // class of the last character behind the starter
	done := chars[:0]
	for _, c := range chars {
		k := combining(c)
		if starter >= 0 && (class < k || starter == len(done)-1) {
			if one := norm.NFC.String(done[starter] + c); firstRune(one) == len(one) {
				done[starter] = one
				continue
			}
		}
		if k == 0 {
			starter = len(done)
		}
		done, class = append(done, c), k
	}
	return done
}
