package tokenizer

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// TestSentencePieceAsHuggingFace compares each way to treat blanks, and each kind of added token,
// with Hugging Face's tokenizers.
func TestSentencePieceAsHuggingFace(t *testing.T) {
	var want []struct {
		Name      string
		Tokenizer json.RawMessage
		Texts     []struct {
			Text    string
			IDs     []token.ID
			Decoded string // of the ids
			Shown   string // without special tokens
		}
	}
	readJSON(t, "hf_sentencepiece.json", &want)
	if len(want) != 6 {
		t.Fatalf("%d tokenizers", len(want))
	}
	for _, w := range want {
		tok, err := parse(w.Tokenizer, nil)
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		for _, c := range w.Texts {
			if got := tok.EncodeWithSpecial(c.Text); !slices.Equal(got, c.IDs) {
				t.Errorf("%s: %q: got %v, want %v", w.Name, c.Text, got, c.IDs)
			}
			if got := tok.Decode(c.IDs); got != c.Decoded {
				t.Errorf("%s: %v decodes to %q, want %q", w.Name, c.IDs, got, c.Decoded)
			}
			if got := tok.DecodeSkipSpecial(c.IDs); got != c.Shown {
				t.Errorf("%s: %v shows as %q, want %q", w.Name, c.IDs, got, c.Shown)
			}
			checkStream(t, tok, c.IDs, true)
		}
	}
}
