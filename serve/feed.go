package serve

import (
	"context"
	"sync"

	"github.com/herd-lm/herd/core/sample"
)

// piece is what an answer grew by.
type piece struct {
	k int
	sample.Delta
}

// feed is the way of pieces from an engine, which must not wait, to the goroutine
// that writes to a client, which may. Its length is bounded: who falls behind is cut
// off.
type feed struct {
	mu      sync.Mutex
	pieces  []piece
	sources int           // that may still add
	most    int           // pieces
	behind  func()        // called when there are more
	news    chan struct{} // holds one thing if there may be news
}

func newFeed(sources, most int, behind func()) *feed {
	return &feed{sources: sources, most: most, behind: behind, news: make(chan struct{}, 1)}
}

func (f *feed) add(p piece) {
	f.mu.Lock()
	full := len(f.pieces) == f.most
	if !full {
		f.pieces = append(f.pieces, p)
	}
	f.mu.Unlock()
	if full {
		f.behind()
	}
	f.tell()
}

// end says that one of the sources will add nothing more.
func (f *feed) end() {
	f.mu.Lock()
	f.sources--
	f.mu.Unlock()
	f.tell()
}

func (f *feed) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// next waits for pieces and returns them, in place of the slice that the call before
// returned; none when all sources have ended.
func (f *feed) next(ctx context.Context, used []piece) ([]piece, error) {
	for {
		f.mu.Lock()
		pieces, ended := f.pieces, f.sources == 0
		if len(pieces) > 0 {
			f.pieces = used[:0]
		}
		f.mu.Unlock()
		if len(pieces) > 0 || ended {
			return pieces, nil
		}
		select {
		case <-f.news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
