package world

import (
	"math"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"

	"github.com/herd-lm/herd/data/table"
)

func TestMix(t *testing.T) {
	w := theWorld(t)
	for _, docs := range [][]table.Document{w.Documents[:3000], w.Documents[len(w.Documents)-3000:], w.HeldOutDocuments} {
		for c, share := range mix(docs) {
			if math.Abs(share-Classes[c].Share) > 0.01 {
				t.Errorf("of %d documents, %s is %.3f of the tokens, want %.2f", len(docs), Classes[c].Name, share, Classes[c].Share)
			}
		}
	}
	for _, d := range w.Documents[:3000] {
		if got, want := pieces(d.Text), llama3Pieces(d.Text); got != want {
			t.Fatalf("pieces = %d, want %d, of:\n%s", got, want, d.Text)
		}
	}
	t.Run("planted", func(t *testing.T) {
		fewer := append([]table.Document{}, w.HeldOutDocuments[:500]...)
		for i := range fewer {
			if fewer[i].Meta["class"] == Multilingual {
				fewer[i].Text = ""
			}
		}
		if share := mix(fewer)[3]; math.Abs(share-Classes[3].Share) <= 0.01 {
			t.Errorf("without its text, the share of %s is still %.3f", Multilingual, share)
		}
	})
}

// llama3 is the pre-tokenisation pattern of Llama 3's tokenizer.json.
var llama3 = regexp2.MustCompile(`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|`+
	` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, regexp2.None)

func llama3Pieces(text string) (n int) {
	for m, _ := llama3.FindStringMatch(text); m != nil; m, _ = llama3.FindNextMatch(m) {
		n++
	}
	return n
}

// mix returns the share of each class in the pieces of the documents.
func mix(docs []table.Document) []float64 {
	shares, total := make([]float64, len(Classes)), 0.0
	for _, d := range docs {
		for c := range Classes {
			if d.Meta["class"] == Classes[c].Name {
				n := float64(llama3Pieces(d.Text))
				shares[c] += n
				total += n
			}
		}
	}
	for c := range shares {
		shares[c] /= total
	}
	return shares
}

func TestDocumentsAreDistinct(t *testing.T) {
	w := theWorld(t)
	seen := map[string]bool{}
	for _, d := range append(append([]table.Document{}, w.HeldOutDocuments...), w.Documents...) {
		if seen[d.Text] {
			t.Fatalf("two documents are the same:\n%s", d.Text)
		}
		if seen[d.Text] = true; strings.ContainsAny(d.Text, "{}") || strings.Contains(d.Text, "..") {
			t.Errorf("a document was not filled in properly:\n%s", d.Text)
		}
	}
}

// A model must read a fact in several wordings before it can answer questions about it (Physics
// of Language Models 3.1).
func TestFactsAreStatedOften(t *testing.T) {
	w := theWorld(t)
	l := invent(Defaults().Seed)
	said := map[string]int{}
	for _, d := range w.Documents {
		for line := range strings.Lines(d.Text) {
			for _, sentence := range strings.SplitAfter(strings.TrimSpace(line), ". ") {
				said[strings.TrimSpace(sentence)]++
			}
		}
	}
	for _, i := range l.items {
		if i.Exercise || i.Class == Code {
			continue
		}
		wordings, times := 0, 0
		for _, s := range i.Statements {
			times += said[s]
			if said[s] > 0 {
				wordings++
			}
		}
		if wordings < 3 || times < 30 {
			t.Errorf("%s of %s is stated %d times in %d wordings", i.Task, i.Fact, times, wordings)
		}
	}
}
