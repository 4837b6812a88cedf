package tokenizer

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/herd-lm/herd/core/token"
)

// cacheSlots limits the cache to 65,536 pieces, about 5 MB.
const cacheSlots = 1 << 16

// pieceCache caches the ids of pieces. The hash of a piece selects its slot, and a newer piece
// replaces an older one, so the cache needs no locks and does not grow.
type pieceCache struct {
	seed  maphash.Seed
	slots []cacheSlot
}

type cacheSlot struct{ entry atomic.Pointer[cachedPiece] }

// cachedPiece is a piece with its ids. It takes 64 bytes, so that a lookup is one access to
// memory. Longer pieces are not cached.
type cachedPiece struct {
	length, count uint8
	piece         [30]byte
	ids           [8]token.ID
}

func newPieceCache() *pieceCache {
	return &pieceCache{maphash.MakeSeed(), make([]cacheSlot, cacheSlots)}
}

func (c *pieceCache) slot(piece string) *cacheSlot {
	return &c.slots[maphash.String(c.seed, piece)%cacheSlots]
}

func (s *cacheSlot) get(piece string) ([]token.ID, bool) {
	if e := s.entry.Load(); e != nil && string(e.piece[:e.length]) == piece {
		return e.ids[:e.count], true
	}
	return nil, false
}

func (s *cacheSlot) put(piece string, ids []token.ID) {
	e := &cachedPiece{length: uint8(len(piece)), count: uint8(len(ids))}
	if len(piece) <= len(e.piece) && len(ids) <= len(e.ids) {
		copy(e.piece[:], piece)
		copy(e.ids[:], ids)
		s.entry.Store(e)
	}
}
