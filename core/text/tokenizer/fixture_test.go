package tokenizer

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// golden is testdata/hf.json.
type golden struct {
	Merges []string
	Texts  []struct {
		Text string
		IDs  []token.ID
	}
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// corpusLines returns the lines of testdata/corpus.txt, as Hugging Face's trainer reads a file.
var corpusLines = sync.OnceValue(func() []string {
	text, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		panic(err)
	}
	return strings.SplitAfter(string(text), "\n")
})

// trained returns the tokenizer of hf.json: 256 bytes, 400 merges, 5 special
// tokens.
func trained(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Train(slices.Values(corpusLines()), TrainSettings{VocabSize: 661})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// alphabet has characters that the patterns distinguish, or for which definitions of blank, letter
// and case differ.
var alphabet = []rune("aAsStTrRevVmMlLdDzéſK 0123٣½²'’!?.,\n\r\t\v\f \u00a0\u3000\u0085\u200b\u2028\u1680\u180e\ufeff\x1c中文字한글кириअा́🙂👍🏽ªǅʰÉ́Ώ/𝒜<|>{}_-")

// randomText returns n characters: most from alphabet, some from all of Unicode, and some invalid
// bytes.
func randomText(r *rand.Rand, n int) string {
	var s strings.Builder
	for range n {
		switch r.IntN(20) {
		case 0:
			s.WriteRune(rune(r.IntN(0x110000)))
		case 1:
			s.WriteByte(byte(r.IntN(256)))
		case 2:
			s.WriteString([]string{NameEndOfTurn, NameBeginOfText, "<|end_of", "'ll", "   ", "\r\n\n"}[r.IntN(6)])
		default:
			s.WriteRune(alphabet[r.IntN(len(alphabet))])
		}
	}
	return s.String()
}
