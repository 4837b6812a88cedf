package constrain

import (
	"unicode/utf8"
)

// runes passes one character of the ranges, which are pairs of the first and the last, as UTF-8.
func runes(ranges ...rune) piece {
	return func(b *builder) part {
		p := part{b.node(), b.node()}
		for i := 0; i+1 < len(ranges); i += 2 {
			b.runeRange(p, ranges[i], ranges[i+1])
		}
		return p
	}
}

// surrogates are no characters.
const (
	firstSurrogate = 0xd800
	lastSurrogate  = 0xdfff
)

// runeRange passes one character from low to high, in ranges of equal length whose bytes vary
// independently (the method of Ken Thompson's grep; Go's regexp/syntax has no such step).
func (b *builder) runeRange(p part, low, high rune) {
	for low <= high {
		end := high
		if low < firstSurrogate {
			end = min(end, firstSurrogate-1)
		} else if low <= lastSurrogate {
			low = lastSurrogate + 1
			continue
		}
		for _, most := range []rune{0x7f, 0x7ff, 0xffff} { // of one, two and three bytes
			if low <= most {
				end = min(end, most)
				break
			}
		}
		// Let the last bytes vary together: all values of the lower bits, or one value of the higher.
		for shift := 6 * (utf8.RuneLen(end) - 1); shift > 0; shift -= 6 {
			mask := rune(1)<<shift - 1
			if low&^mask == end&^mask {
				continue
			}
			if low&mask != 0 {
				end = low | mask
			} else if end&mask != mask {
				end = end&^mask - 1
			}
		}
		b.bytesRange(p, low, end)
		low = end + 1
	}
}

// bytesRange passes one character from low to high, whose bytes vary independently.
func (b *builder) bytesRange(p part, low, high rune) {
	first, last := utf8.AppendRune(nil, low), utf8.AppendRune(nil, high)
	at := p.in
	for i := range first {
		to := p.out
		if i < len(first)-1 {
			to = b.node()
		}
		b.edge(at, first[i], last[i], to)
		at = to
	}
}
