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

// TrainSettings says what vocabulary to train.
type TrainSettings struct {
	VocabSize int      // all tokens: 256 bytes, merges, special tokens
	Special   []string // appended after the merges; nil for Llama 3's five
	Pattern   Pattern  // Llama3 unless set
	MaxLength int      // context length of the model in tokens, for other programs; 0 for no limit
}

// Train makes a vocabulary of the asked size from docs: the 256 bytes, then the
// most frequent pair of neighbours merged again and again, then the special
// tokens (byte-level BPE; merges and their order equal those of Hugging Face's
// BpeTrainer without a minimum frequency). The result depends on nothing but
// docs and s, not even on the order of docs. It has Llama 3's chat template.
//
// A corpus with too few different pairs for the size is an error that says how
// many tokens it is enough for.
func Train(docs iter.Seq[string], s TrainSettings) (*Tokenizer, error) {
	if s.Special == nil {
		s.Special = []string{NameBeginOfText, NameEndOfText, NameStartHeader, NameEndHeader, NameEndOfTurn}
	}
	ordinary := s.VocabSize - len(s.Special)
	if ordinary < len(byteOrder) {
		return nil, fmt.Errorf("train tokenizer: a vocabulary of %d does not hold 256 bytes and %d special tokens", s.VocabSize, len(s.Special))
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

// withSpecial appends special tokens to v, whose beginning and end of text are
// Llama 3's if they are among them.
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

// countedBytes is how long a piece is counted as one. Longer ones, which are
// hardly words, are counted in parts, so that the time of a merge is bounded.
const countedBytes = 1024

// batchBytes is how much text goes to a counting goroutine at once.
const batchBytes = 1 << 20

// countPieces returns how often each piece occurs in docs.
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

// pieceCounts counts pieces. The map holds indices so that counting a piece
// again does not write to the map, nor keep the document in memory.
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
