package tokenizer

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/herd-lm/herd/core/token"
)

// cacheSlots and cachedBytes bound the cache: at most 65,536 pieces of at most
// 48 bytes, some 8 MB.
const (
	cacheSlots  = 1 << 16
	cachedBytes = 48
)

// pieceCache remembers the ids of pieces, each in the one slot that its hash
// names, where a newer piece replaces an older one: no locks, no growth.
type pieceCache struct {
	seed  maphash.Seed
	slots []cacheSlot
}

type cacheSlot struct{ entry atomic.Pointer[cachedPiece] }

type cachedPiece struct {
	piece string
	ids   []token.ID
}

func newPieceCache() *pieceCache {
	return &pieceCache{maphash.MakeSeed(), make([]cacheSlot, cacheSlots)}
}

func (c *pieceCache) slot(piece string) *cacheSlot {
	return &c.slots[maphash.String(c.seed, piece)%cacheSlots]
}

func (s *cacheSlot) get(piece string) ([]token.ID, bool) {
	if e := s.entry.Load(); e != nil && e.piece == piece {
		return e.ids, true
	}
	return nil, false
}

func (s *cacheSlot) put(piece string, ids []token.ID) {
	if len(piece) <= cachedBytes {
		s.entry.Store(&cachedPiece{strings.Clone(piece), slices.Clone(ids)})
	}
}
