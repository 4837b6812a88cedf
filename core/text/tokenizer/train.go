package tokenizer

import (
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"

	"github.com/sourcegraph/conc"

	"github.com/herd-lm/herd/core/token"
)

// TrainSettings holds the settings of Train.
type TrainSettings struct {
	VocabSize int      // number of all tokens: 256 bytes, merges, special tokens
	Special   []string // appended after the merges; nil for Llama 3's five
	Pattern   Pattern  // "" means Llama3
	MaxLength int      // context length of the model in tokens, for other programs; 0 for no limit
}

// defaultSpecial are the special tokens of a vocabulary for which the settings name none.
var defaultSpecial = []string{NameBeginOfText, NameEndOfText, NameStartHeader, NameEndHeader, NameEndOfTurn}

// SmallestVocabulary is the least VocabSize without Special: 256 bytes and the special tokens.
const SmallestVocabulary = 256 + 5

// Train trains a byte-level BPE vocabulary of s.VocabSize tokens on docs. It starts with the 256
// bytes, merges the most frequent pair of neighbours again and again, and appends the special
// tokens. The merges and their order equal those of Hugging Face's BpeTrainer without a minimum
// frequency. The result depends only on the set of docs and on s, not on the order of docs. It has
// Llama 3's chat template.
//
// Train returns an error if the corpus has too few pairs to merge. The error gives the vocabulary
// size for which the corpus suffices.
func Train(docs iter.Seq[string], s TrainSettings) (*Tokenizer, error) {
	if s.Special == nil {
		s.Special = defaultSpecial
	}
	ordinary := s.VocabSize - len(s.Special)
	if ordinary < len(byteOrder) {
		return nil, fmt.Errorf("train tokenizer: a vocabulary of %d tokens does not hold 256 bytes and %d special tokens", s.VocabSize, len(s.Special))
	}
	v := Vocabulary{Pattern: s.Pattern, WholePieces: true, MaxLength: s.MaxLength}
	for _, b := range byteOrder {
		v.Tokens = append(v.Tokens, string([]byte{b}))
	}
	split, err := s.Pattern.splitter()
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	learner := newLearner(v, s.Special, countPieces(docs, split))
	if v = learner.learn(ordinary); len(v.Tokens) < ordinary {
		return nil, fmt.Errorf("train tokenizer: the corpus has %d merges, enough for a vocabulary of %d, not %d: give more text or ask for less",
			len(v.Merges), len(v.Tokens)+len(s.Special), s.VocabSize)
	}
	t, err := New(v.withSpecial(s.Special))
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	return t.WithTemplate(Template{Source: Llama3Template}), nil
}

// withSpecial appends special tokens to v. If names include Llama 3's beginning and end of text, it
// sets them as BOS and EOS.
func (v Vocabulary) withSpecial(names []string) Vocabulary {
	for _, name := range names {
		v.Added = append(v.Added, Added{ID: token.ID(len(v.Tokens)), Text: name, Special: true})
		v.Tokens = append(v.Tokens, name)
	}
	v.BOS = firstOf(names, NameBeginOfText)
	v.EOS = firstOf(names, NameEndOfText, NameEndOfTurn)
	return v
}

// firstOf returns the first of wanted that is among names, or "".
func firstOf(names []string, wanted ...string) string {
	for _, name := range wanted {
		if slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// countedBytes is the maximum length in bytes of a piece that counts as one. Training counts longer
// pieces, which are rarely words, in parts to bound the time of a merge.
const countedBytes = 1024

// batchBytes is the size of the batches of text for the counting goroutines.
const batchBytes = 1 << 20

// countPieces returns the number of occurrences of each piece in docs.
func countPieces(docs iter.Seq[string], split splitter) map[string]int64 {
	batches := make(chan []string)
	counts := make([]*pieceCounts, runtime.GOMAXPROCS(0))
	var wg conc.WaitGroup
	for i := range counts {
		counts[i] = &pieceCounts{index: map[string]int32{}}
		wg.Go(func() {
			for batch := range batches {
				for _, doc := range batch {
					counts[i].add(doc, split)
				}
			}
		})
	}
	sendBatches(docs, batches)
	wg.Wait()
	return sum(counts)
}

// sendBatches sends docs in groups of about batchBytes, then closes batches.
func sendBatches(docs iter.Seq[string], batches chan<- []string) {
	defer close(batches)
	var batch []string
	size := 0
	for doc := range docs {
		batch = append(batch, doc)
		if size += len(doc); size >= batchBytes {
			batches <- batch
			batch, size = nil, 0
		}
	}
	if len(batch) > 0 {
		batches <- batch
	}
}

// pieceCounts counts pieces. The map holds indices so that counting a known piece does not write to
// the map or keep the document in memory.
type pieceCounts struct {
	index  map[string]int32
	counts []int64
}

func (c *pieceCounts) add(doc string, split splitter) {
	for piece := range split(doc) {
		for len(piece) > 0 {
			n := min(len(piece), countedBytes)
			c.count(piece[:n])
			piece = piece[n:]
		}
	}
}

func (c *pieceCounts) count(piece string) {
	if i, ok := c.index[piece]; ok {
		c.counts[i]++
		return
	}
	c.index[strings.Clone(piece)] = int32(len(c.counts))
	c.counts = append(c.counts, 1)
}

func sum(counts []*pieceCounts) map[string]int64 {
	total := map[string]int64{}
	for _, c := range counts {
		for piece, i := range c.index {
			total[piece] += c.counts[i]
		}
	}
	return total
}
