package engine

import (
	"container/list"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/token"
)

// page holds the keys and values of kernel.PageTokens tokens. A full page depends only on
// its tokens and the tokens before them. All sequences with the same beginning share it,
// and it stays in the cache until its memory is needed.
type page struct {
	kv   *kernel.Page
	refs int           // sequences and requests that use it
	id   uint64        // of its content; 0: not in the cache
	key  pageKey       // of its content, if it is in the cache
	idle *list.Element // not nil: in the cache, and nobody uses it
}

// pageKey identifies the content of a full page: its tokens, and through the page before
// it everything before them.
type pageKey struct {
	before uint64 // id of the page before; 0: none
	tokens [kernel.PageTokens]token.ID
}

// pages allocates the memory for keys and values, and caches full pages in a prefix tree
// (after Zheng et al., SGLang, arXiv 2312.07104; a node here is a page).
type pages struct {
	create   func() *kernel.Page
	limit    int // pages
	created  int
	free     []*page
	cache    map[pageKey]*page
	idle     *list.List // cached pages that nobody uses, longest unused first
	ids      uint64
	unshared bool // cache nothing
}

func newPages(limit int, create func() *kernel.Page) *pages {
	return &pages{create: create, limit: limit, cache: map[pageKey]*page{}, idle: list.New()}
}

// available returns how many pages take can return.
func (p *pages) available() int { return p.limit - p.created + len(p.free) + p.idle.Len() }

// used returns how many pages are in use.
func (p *pages) used() int { return p.created - len(p.free) - p.idle.Len() }

// take returns an empty page, or nil if all are in use. It evicts the page that was
// unused longest if there is no free one.
func (p *pages) take() *page {
	if n := len(p.free); n > 0 {
		q := p.free[n-1]
		p.free = p.free[:n-1]
		q.refs = 1
		return q
	}
	if p.created < p.limit {
		p.created++
		return &page{kv: p.create(), refs: 1}
	}
	oldest := p.idle.Front()
	if oldest == nil {
		return nil
	}
	q := p.idle.Remove(oldest).(*page)
	delete(p.cache, q.key)
	*q = page{kv: q.kv, refs: 1}
	return q
}

// find returns the cached page of tokens behind the page before, or nil. The caller
// must release it.
func (p *pages) find(before *page, tokens []token.ID) *page {
	q := p.cache[keyOf(before, tokens)]
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

// insert caches q, which is full. If a page with the same content is in the cache,
// insert releases q and returns that page, held.
func (p *pages) insert(q, before *page, tokens []token.ID) *page {
	if p.unshared {
		return q
	}
	key := keyOf(before, tokens)
	if same := p.cache[key]; same != nil {
		p.hold(same)
		p.release(q)
		return same
	}
	p.ids++
	q.id, q.key = p.ids, key
	p.cache[key] = q
	return q
}

// release removes a user from q.
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

// releaseAll removes a user from each page of list, the last first, so that take evicts
// the end of a text before its beginning.
func (p *pages) releaseAll(list []*page) {
	for i := len(list) - 1; i >= 0; i-- {
		p.release(list[i])
	}
}

// cached returns how many full pages at the beginning of tokens are in the cache.
func (p *pages) cached(tokens []token.ID) (n int) {
	var before *page
	for ; len(tokens) > kernel.PageTokens; tokens = tokens[kernel.PageTokens:] {
		before = p.cache[keyOf(before, tokens[:kernel.PageTokens])]
		if before == nil {
			break
		}
		n++
	}
	return n
}
