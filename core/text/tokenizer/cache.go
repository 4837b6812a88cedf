package tokenizer

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/herd-lm/herd/core/token"
)

// cacheSlots bounds the cache: at most 65,536 pieces, some 5 MB.
const cacheSlots = 1 << 16

// pieceCache remembers the ids of pieces, each in the one slot that its hash
// names, where a newer piece replaces an older one: no locks, no growth.
type pieceCache struct {
	seed  maphash.Seed
	slots []cacheSlot
}

type cacheSlot struct{ entry atomic.Pointer[cachedPiece] }

// cachedPiece is a piece with its ids: 64 bytes, so that looking at it is one
// access to memory. Pieces that do not fit in are not remembered.
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
