package tokenizer

import (
	"container/heap"
	"iter"

	"github.com/herd-lm/herd/core/token"
)

// learner finds the merges of a corpus, given as pieces with their counts.
type learner struct {
	vocab   Vocabulary
	special map[string]bool // names that no merge may make
	words   []word
	pairs   map[pair]*pairCount
	queue   pairHeap
}

// word is a piece as its current tokens.
type word struct {
	ids   []token.ID
	count int64
}

// pairCount is the number of times that a pair occurs, and the words in which it was seen. The
// list may hold words that have lost the pair, and duplicates.
type pairCount struct {
	count int64
	words []int32
}

// queued is a pair with its count at the time it was queued. The count may have changed since,
// so the learner compares an entry with pairs when it takes it from the queue.
type queued struct {
	pair  pair
	count int64
}

// pairHeap has the next pair to merge on top: the most frequent pair, and among equally
// frequent pairs the one with the lowest ids.
type pairHeap []queued

func (h pairHeap) Len() int { return len(h) }
func (h pairHeap) Less(i, j int) bool {
	return h[i].count > h[j].count || h[i].count == h[j].count && h[i].pair < h[j].pair
}
func (h pairHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *pairHeap) Push(x any)   { *h = append(*h, x.(queued)) }
func (h *pairHeap) Pop() any {
	last := len(*h) - 1
	q := (*h)[last]
	*h = (*h)[:last]
	return q
}

// newLearner starts from v, which has the 256 bytes and no merge.
func newLearner(v Vocabulary, special []string, pieces map[string]int64) *learner {
	l := &learner{vocab: v, special: map[string]bool{}, pairs: map[pair]*pairCount{}}
	var base [256]token.ID
	for i, text := range v.Tokens {
		base[text[0]] = token.ID(i)
	}
	for _, name := range special {
		l.special[name] = true
	}
	for piece, count := range pieces {
		ids := make([]token.ID, len(piece))
		for i := range len(piece) {
			ids[i] = base[piece[i]]
		}
		l.words = append(l.words, word{ids, count})
	}
	for w, word := range l.words {
		for p := range neighbours(word.ids) {
			l.notice(p, int32(w))
			l.pairs[p].count += word.count
		}
	}
	for p, c := range l.pairs {
		l.queue = append(l.queue, queued{p, c.count})
	}
	heap.Init(&l.queue)
	return l
}

// learn merges until there are size tokens or nothing is left to merge.
func (l *learner) learn(size int) Vocabulary {
	for len(l.vocab.Tokens) < size && len(l.queue) > 0 {
		top := heap.Pop(&l.queue).(queued)
		now := l.pairs[top.pair].count
		text := l.vocab.Tokens[top.pair.left()] + l.vocab.Tokens[top.pair.right()]
		switch {
		case now == 0 || l.special[text]:
		case now != top.count:
			heap.Push(&l.queue, queued{top.pair, now})
		default:
			l.merge(top.pair, text)
		}
	}
	return l.vocab
}

// merge replaces p by one token wherever it occurs. No other pair can make the same bytes
// later: a merge leaves no occurrence of its pair, so equal bytes between two token borders
// always consist of equal tokens.
func (l *learner) merge(p pair, text string) {
	into := token.ID(len(l.vocab.Tokens))
	l.vocab.Tokens = append(l.vocab.Tokens, text)
	l.vocab.Merges = append(l.vocab.Merges, [2]token.ID{p.left(), p.right()})
	risen := map[pair]bool{}
	for _, w := range l.pairs[p].words {
		l.mergeWord(w, p, into, risen)
	}
	l.pairs[p].words = nil
	for r := range risen {
		heap.Push(&l.queue, queued{r, l.pairs[r].count})
	}
}

// mergeWord merges p in one word. It adds the pairs with the new token to risen, because they
// may have become more frequent.
func (l *learner) mergeWord(w int32, p pair, into token.ID, risen map[pair]bool) {
	word := &l.words[w]
	for q := range neighbours(word.ids) {
		l.pairs[q].count -= word.count
	}
	word.ids = join(word.ids, p, into)
	for q := range neighbours(word.ids) {
		if q.left() == into || q.right() == into {
			l.notice(q, w)
			risen[q] = true
		}
		l.pairs[q].count += word.count
	}
}

// notice records that word w has the pair p.
func (l *learner) notice(p pair, w int32) {
	c, ok := l.pairs[p]
	if !ok {
		c = &pairCount{}
		l.pairs[p] = c
	}
	if last := len(c.words) - 1; last < 0 || c.words[last] != w {
		c.words = append(c.words, w)
	}
}

// neighbours yields the pairs of adjacent tokens.
func neighbours(ids []token.ID) iter.Seq[pair] {
	return func(yield func(pair) bool) {
		for i := 1; i < len(ids); i++ {
			if !yield(pairOf(ids[i-1], ids[i])) {
				return
			}
		}
	}
}

// join replaces p by into from left to right, in place.
func join(ids []token.ID, p pair, into token.ID) []token.ID {
	n := 0
	for i := 0; i < len(ids); i, n = i+1, n+1 {
		ids[n] = ids[i]
		if i+1 < len(ids) && pairOf(ids[i], ids[i+1]) == p {
			ids[n] = into
			i++
		}
	}
	return ids[:n]
}
