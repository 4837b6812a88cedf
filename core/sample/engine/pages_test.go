package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/token"
)

// holder is a text and the full pages that it holds.
type holder struct {
	text []byte // a letter for each page
	held []*page
}

// TestPages creates, grows and removes holders at random. It checks that two holders
// share a page only if their texts are equal up to its end, that a page holds what its
// owner wrote, and that no page is lost.
func TestPages(t *testing.T) {
	const limit = 12
	rng := rand.New(rand.NewPCG(1, 2))
	p := newPages(limit, func() *kernel.Page { return new(kernel.Page) })
	content := map[*page]string{}
	var live []*holder
	found, refused := 0, 0
	for range 20000 {
		switch i := rng.IntN(max(1, len(live))); {
		case len(live) == 0 || len(live) < 6 && rng.IntN(6) == 0:
			live = append(live, &holder{})
		case rng.IntN(8) == 0:
			p.releaseAll(live[i].held)
			live = slices.Delete(live, i, i+1)
		default:
			h := live[i]
			h.text = append(h.text, byte(rng.IntN(3)))
			tokens := slices.Repeat([]token.ID{token.ID(h.text[len(h.text)-1])}, kernel.PageTokens)
			var before *page
			if n := len(h.held); n > 0 {
				before = h.held[n-1]
			}
			q := p.find(before, tokens)
			switch {
			case q != nil:
				found++
			case p.available() == 0:
				if q = p.take(); q != nil {
					t.Fatal("take returned a page although none was available")
				}
				h.text = h.text[:len(h.text)-1]
				refused++
				continue
			default:
				q = p.take()
				for _, other := range live {
					if slices.Contains(other.held, q) {
						t.Fatal("a page in use was given to another")
					}
				}
				content[q] = string(h.text)
				if q = p.insert(q, before, tokens); rng.IntN(3) == 0 {
					p.hold(q) // as fork does
					p.release(q)
				}
			}
			if content[q] != string(h.text) {
				t.Fatalf("a page holds %v, expected %v", content[q], h.text)
			}
			h.held = append(h.held, q)
		}
		used := map[*page]int{}
		for _, h := range live {
			for _, q := range h.held {
				used[q]++
			}
		}
		for q, n := range used {
			if q.refs != n || q.idle != nil {
				t.Fatalf("a page of %d users counts %d", n, q.refs)
			}
		}
		if p.used() != len(used) || p.available() != limit-len(used) || p.created > limit {
			t.Fatalf("%d pages in use, counted %d, available %d of %d", len(used), p.used(), p.available(), limit)
		}
	}
	if found < 1000 || refused < 100 {
		t.Errorf("%d pages were found, %d refused: the test sees too little", found, refused)
	}
	for _, h := range live {
		p.releaseAll(h.held)
	}
	if p.used() != 0 || p.available() != limit {
		t.Errorf("at the end %d in use, %d available", p.used(), p.available())
	}
}
