package tokenizer

import (
	"fmt"
	"slices"

	"golang.org/x/text/unicode/norm"
)

// Form is a form of Unicode normalisation (UAX 15) that text is brought to before
// it is cut into pieces: "" for none, NFC, NFD, NFKC or NFKD.
type Form string

var forms = []Form{"NFC", "NFD", "NFKC", "NFKD"}

func (f Form) check() error {
	if f != "" && !slices.Contains(forms, f) {
		return fmt.Errorf("normalisation %q is not known: expected NFC, NFD, NFKC, NFKD or none", f)
	}
	return nil
}

// apply normalises text. Bytes that are not UTF-8 stay as they are.
func (f Form) apply(text string) string {
	if f == "" {
		return text
	}
	return [...]norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD}[slices.Index(forms, f)].String(text)
}
