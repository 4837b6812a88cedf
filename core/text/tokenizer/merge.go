package tokenizer

import (
	"container/heap"
	"fmt"

	"github.com/herd-lm/herd/core/token"
)

// pair is two neighbouring tokens, with the left one in the high half, so that pairs sort like
// (left, right).
type pair uint64

func pairOf(left, right token.ID) pair { return pair(uint32(left))<<32 | pair(uint32(right)) }

func (p pair) left() token.ID  { return token.ID(p >> 32) }
func (p pair) right() token.ID { return token.ID(uint32(p)) }

// merge is the result of a pair and its rank: lower ranks merge first.
type merge struct {
	rank int32
	into token.ID
}

type mergeTable map[pair]merge

// newMergeTable leaves out merges that would make a special token, which old converters wrote,
// so that no text can forge one.
func newMergeTable(v Vocabulary, ids map[string]token.ID, added addedTokens) (mergeTable, error) {
	table := make(mergeTable, len(v.Merges))
	for rank, m := range v.Merges {
		for _, id := range m {
			if id < 0 || int(id) >= len(v.Tokens) {
				return nil, fmt.Errorf("merge %d joins token %d, outside the vocabulary of %d", rank, id, len(v.Tokens))
			}
		}
		text := v.Tokens[m[0]] + v.Tokens[m[1]]
		into, ok := ids[text]
		if !ok {
			if a := added.byText[v.spell(text)]; a != nil && a.Special {
				continue
			}
			return nil, fmt.Errorf("merge %d makes %q, which is not a token", rank, text)
		}
		p := pairOf(m[0], m[1])
		if first, ok := table[p]; ok {
			return nil, fmt.Errorf("merges %d and %d are the same", first.rank, rank)
		}
		table[p] = merge{int32(rank), into}
	}
	return table, nil
}

// longPiece is the length in tokens from which a heap is faster than a scan of all pairs after
// each merge.
const longPiece = 96

// apply merges ids in place until no pair merges: the lowest rank first, and the leftmost pair
// among equal ranks. It returns the number of ids that remain.
func (t mergeTable) apply(ids []token.ID) int {
	if len(ids) < longPiece {
		return t.applyShort(ids)
	}
	return t.applyLong(ids)
}

// applyShort takes time quadratic in the length, but allocates nothing.
func (t mergeTable) applyShort(ids []token.ID) int {
	var ranked [longPiece]merge // ranked[i] merges ids[i] with ids[i+1]
	for i := range len(ids) - 1 {
		ranked[i] = t.lookup(ids[i], ids[i+1])
	}
	n := len(ids)
	for n > 1 {
		best := 0
		for i := 1; i < n-1; i++ {
			if ranked[i].rank < ranked[best].rank {
				best = i
			}
		}
		if ranked[best].rank == noRank {
			break
		}
		ids[best] = ranked[best].into
		copy(ids[best+1:n], ids[best+2:n])
		copy(ranked[best:n-1], ranked[best+1:n-1])
		n--
		if best > 0 {
			ranked[best-1] = t.lookup(ids[best-1], ids[best])
		}
		if best < n-1 {
			ranked[best] = t.lookup(ids[best], ids[best+1])
		}
	}
	return n
}

// noRank is the rank of a pair that does not merge. It sorts after all other ranks.
const noRank = 1<<31 - 1

func (t mergeTable) lookup(left, right token.ID) merge {
	if m, ok := t[pairOf(left, right)]; ok {
		return m
	}
	return merge{rank: noRank}
}

// candidate is a merge that was possible at position at when it was queued. It is still
// possible if the pair there is the same.
type candidate struct {
	merge
	pair pair
	at   int32
}

type candidateHeap []candidate

func (h candidateHeap) Len() int { return len(h) }
func (h candidateHeap) Less(i, j int) bool {
	return h[i].rank < h[j].rank || h[i].rank == h[j].rank && h[i].at < h[j].at
}
func (h candidateHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *candidateHeap) Push(x any)   { *h = append(*h, x.(candidate)) }
func (h *candidateHeap) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}

// chain is a piece during merging: a linked list of tokens, so that a merge moves nothing. A
// token that was merged into its left neighbour is None.
type chain struct {
	table      mergeTable
	ids        []token.ID
	prev, next []int32
	queue      candidateHeap
}

// applyLong takes time n log n in the length.
func (t mergeTable) applyLong(ids []token.ID) int {
	c := chain{table: t, ids: ids, prev: make([]int32, len(ids)), next: make([]int32, len(ids))}
	for i := range ids {
		c.prev[i], c.next[i] = int32(i-1), int32(i+1)
	}
	for i := range ids {
		c.offer(int32(i))
	}
	for len(c.queue) > 0 {
		c.join(heap.Pop(&c.queue).(candidate))
	}
	n := 0
	for i := 0; i < len(ids); i = int(c.next[i]) {
		ids[n] = ids[i]
		n++
	}
	return n
}

// offer queues the merge of the token at i with the one after it.
func (c *chain) offer(i int32) {
	if i < 0 || int(c.next[i]) >= len(c.ids) {
		return
	}
	p := pairOf(c.ids[i], c.ids[c.next[i]])
	if m, ok := c.table[p]; ok {
		heap.Push(&c.queue, candidate{m, p, i})
	}
}

// join performs m, unless one of its tokens has merged with another since.
func (c *chain) join(m candidate) {
	right := c.next[m.at]
	if int(right) >= len(c.ids) || pairOf(c.ids[m.at], c.ids[right]) != m.pair {
		return
	}
	c.ids[m.at], c.ids[right] = m.into, None
	c.next[m.at] = c.next[right]
	if after := c.next[right]; int(after) < len(c.ids) {
		c.prev[after] = m.at
	}
	c.offer(c.prev[m.at])
	c.offer(m.at)
}
