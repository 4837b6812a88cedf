package engine

import (
	"container/list"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/token"
)

// page holds the keys and values of kernel.PageTokens tokens. A full one depends on
// nothing but its tokens and those before it, so all sequences that begin alike
// share it, and it stays to be found until its memory is needed.
type page struct {
	kv   *kernel.Page
	refs int           // sequences and requests that use it
	id   uint64        // of its content, once in the tree
	key  pageKey       // likewise
	idle *list.Element // in the tree, used by nobody
}

// pageKey says what a full page holds: its tokens, and by the page before it all
// that came before.
type pageKey struct {
	before uint64 // id of the page before; 0: none
	tokens [kernel.PageTokens]token.ID
}

// pages is the memory for keys and values, a tree of those that are full by what they
// hold (prefix tree: Zheng et al., SGLang, arXiv 2312.07104; here of pages).
type pages struct {
	new   func() *kernel.Page
	limit int // of pages
	made  int
	free  []*page
	tree  map[pageKey]*page
	idle  *list.List // pages of the tree that nobody uses, longest unused first
	ids   uint64

	private bool // enter nothing into the tree
}

func newPages(limit int, create func() *kernel.Page) *pages {
	return &pages{new: create, limit: limit, tree: map[pageKey]*page{}, idle: list.New()}
}

// left returns how many pages can be taken.
func (p *pages) left() int { return p.limit - p.made + len(p.free) + p.idle.Len() }

// used returns how many pages are in use by somebody.
func (p *pages) used() int { return p.made - len(p.free) - p.idle.Len() }

// take returns a page to be filled, nil if all are in use.
func (p *pages) take() *page {
	if n := len(p.free); n > 0 {
		q := p.free[n-1]
		p.free = p.free[:n-1]
		q.refs = 1
		return q
	}
	if p.made < p.limit {
		p.made++
		return &page{kv: p.new(), refs: 1}
	}
	oldest := p.idle.Front()
	if oldest == nil {
		return nil
	}
	q := p.idle.Remove(oldest).(*page)
	delete(p.tree, q.key)
	*q = page{kv: q.kv, refs: 1}
	return q
}

// find returns the full page of tokens after before, nil if there is none.
func (p *pages) find(before *page, tokens []token.ID) *page {
	q := p.tree[keyOf(before, tokens)]
	if q != nil {
		p.hold(q)
	}
	return q
}

func keyOf(before *page, tokens []token.ID) (k pageKey) {
	if before != nil {
		k.before = before.id
	}
	copy(k.tokens[:], tokens)
	return k
}

// hold adds a user to q.
func (p *pages) hold(q *page) {
	if q.idle != nil {
		p.idle.Remove(q.idle)
		q.idle = nil
	}
	q.refs++
}

// filled enters q, which is full, into the tree. If what it holds is there already,
// it returns that in q's place.
func (p *pages) filled(q, before *page, tokens []token.ID) *page {
	if p.private {
		return q
	}
	key := keyOf(before, tokens)
	if same := p.tree[key]; same != nil {
		p.hold(same)
		p.release(q)
		return same
	}
	p.ids++
	q.id, q.key = p.ids, key
	p.tree[key] = q
	return q
}

// release takes a user from q.
func (p *pages) release(q *page) {
	if q.refs--; q.refs > 0 {
		return
	}
	if q.id == 0 {
		p.free = append(p.free, q)
		return
	}
	q.idle = p.idle.PushBack(q)
}

// releaseAll takes a user from each of list, the last first: of pages that nobody
// uses, those at the end of a text go before those that it begins with.
func (p *pages) releaseAll(list []*page) {
	for i := len(list) - 1; i >= 0; i-- {
		p.release(list[i])
	}
}

// known returns how many full pages of tokens are in the tree.
func (p *pages) known(tokens []token.ID) (n int) {
	var before *page
	for ; len(tokens) > kernel.PageTokens; tokens = tokens[kernel.PageTokens:] {
		before = p.tree[keyOf(before, tokens[:kernel.PageTokens])]
		if before == nil {
			break
		}
		n++
	}
	return n
}
