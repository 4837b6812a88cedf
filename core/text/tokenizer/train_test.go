package tokenizer

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

func TestTrainAsHuggingFace(t *testing.T) {
	var want golden
	readJSON(t, "hf.json", &want)
	tok := trained(t)
	for i, m := range tok.file().Model.Merges {
		if got := m[0] + " " + m[1]; got != want.Merges[i] {
			t.Fatalf("merge %d is %q, Hugging Face has %q", i, got, want.Merges[i])
		}
	}
	if len(tok.vocab.Merges) != len(want.Merges) {
		t.Errorf("%d merges, want %d", len(tok.vocab.Merges), len(want.Merges))
	}
}

// learnPlainly counts all pairs again before each merge.
func learnPlainly(v Vocabulary, pieces map[string]int64, size int) Vocabulary {
	words := map[string][]token.ID{}
	for piece := range pieces {
		for _, b := range []byte(piece) {
			words[piece] = append(words[piece], token.ID(bytes.IndexByte(byteOrder[:], b)))
		}
	}
	for len(v.Tokens) < size {
		counts := map[pair]int64{}
		for piece, word := range words {
			for i := 1; i < len(word); i++ {
				counts[pairOf(word[i-1], word[i])] += pieces[piece]
			}
		}
		if len(counts) == 0 {
			break
		}
		best := slices.MinFunc(slices.Collect(maps.Keys(counts)), func(a, b pair) int {
			if counts[a] > counts[b] || counts[a] == counts[b] && a < b {
				return -1
			}
			return 1
		})
		into := token.ID(len(v.Tokens))
		v.Tokens = append(v.Tokens, v.Tokens[best.left()]+v.Tokens[best.right()])
		v.Merges = append(v.Merges, [2]token.ID{best.left(), best.right()})
		for piece, word := range words {
			words[piece] = join(word, best, into)
		}
	}
	return v
}

// Few letters give many overlaps and ties. New refuses two tokens with the same bytes.
func TestLearnEqualsPlainCounting(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 60 {
		pieces := map[string]int64{}
		for range 1 + r.IntN(30) {
			var s strings.Builder
			for range 1 + r.IntN(12) {
				s.WriteByte("aab"[r.IntN(3)])
			}
			pieces[s.String()] = int64(1 + r.IntN(4))
		}
		start := bytesVocabulary().Vocabulary
		got := newLearner(start, nil, pieces).learn(300)
		want := learnPlainly(bytesVocabulary().Vocabulary, pieces, 300)
		if !slices.Equal(got.Merges, want.Merges) || !slices.Equal(got.Tokens, want.Tokens) {
			t.Fatalf("pieces %v:\n got %v\nwant %v", pieces, got.Merges, want.Merges)
		}
		if _, err := New(got); err != nil {
			t.Errorf("pieces %v: %v", pieces, err)
		}
	}
}

func TestTrainIsDeterministic(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	docs := slices.Clone(corpusLines())
	for range 3000 { // enough for several batches
		docs = append(docs, strings.Repeat(randomText(r, 50), 20))
	}
	train := func() string {
		tok, err := Train(slices.Values(docs), TrainSettings{VocabSize: 700})
		if err != nil {
			t.Fatal(err)
		}
		return tok.Digest()
	}
	want := train()
	for _, threads := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(threads)
		r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		got := train()
		runtime.GOMAXPROCS(before)
		if got != want {
			t.Errorf("%d threads and another order of documents make another tokenizer", threads)
		}
	}
	docs[0] += " planted planted planted planted planted planted planted planted"
	docs = append(docs, strings.Repeat(" planted", 100_000))
	if train() == want {
		t.Error("another corpus makes the same tokenizer")
	}
}

func TestTrainRefuses(t *testing.T) {
	for _, c := range []struct {
		docs []string
		size int
		want string
	}{
		{[]string{"aaaa"}, 260, "does not hold 256 bytes and 5 special tokens"},
		{[]string{"abcd"}, 300, "the corpus has 3 merges, enough for a vocabulary of 264, not 300"},
		{nil, 262, "the corpus has 0 merges"},
	} {
		if _, err := Train(slices.Values(c.docs), TrainSettings{VocabSize: c.size}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
	}
	if tok, err := Train(slices.Values([]string{"abcd"}), TrainSettings{VocabSize: 264}); err != nil || tok.VocabSize() != 264 {
		t.Errorf("the size that the error names does not work: %v", err)
	}
}

// A text full of a special token's name must not make an ordinary token of it.
func TestTrainLeavesSpecialTextAlone(t *testing.T) {
	special := []string{"aa"}
	tok, err := Train(slices.Values([]string{"aaaa", "aaaa", "ab"}), TrainSettings{VocabSize: 258, Special: special})
	if err != nil {
		t.Fatal(err)
	}
	if tok.Token(256) != "ab" || tok.Token(257) != "aa" {
		t.Errorf("tokens %q and %q", tok.Token(256), tok.Token(257))
	}
}

func TestTrainLongPiece(t *testing.T) {
	docs := []string{strings.Repeat("ab", 5000), "hello hello"}
	tok, err := Train(slices.Values(docs), TrainSettings{VocabSize: 256 + 9, Special: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Token(256); got != "ab" {
		t.Errorf("first merge makes %q", got)
	}
}
