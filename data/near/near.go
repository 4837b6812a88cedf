// Package near groups texts that are near copies of each other, with MinHash over pieces of five
// characters and locality-sensitive hashing (Broder 1997; Leskovec et al., "Mining of Massive
// Datasets", chapter 3). Case, blanks and punctuation do not count.
//
// Use it to keep near copies together, for example in the same part of a data set. Begin with
// Groups.
package near

import (
	"math"
	"strings"
	"unicode"

	"github.com/zeebo/xxh3"
)

// Two texts are near copies if an estimate of the Jaccard similarity of their pieces is at least
// similar. With 14 bands of 8 hashes, as in FineWeb (arXiv 2406.17557, section 3.4), herd compares
// two texts of similarity 0.8 with a probability of 92%, and two of 0.5 with one of 5%.
const (
	similar = 0.75
	bands   = 14
	rows    = 8
	piece   = 5 // characters
)

// Groups collects texts. The zero Groups is empty.
type Groups struct {
	parent  []int // of each text: another text of its group, or itself
	signed  []signature
	buckets map[bucket]int // first text of the band's hashes
}

// signature holds the smallest hash of the text's pieces under each of the hash functions.
type signature [bands * rows]uint32

type bucket struct {
	band int
	hash uint64
}

// Add adds a text. Its number is the number of texts before it.
func (g *Groups) Add(text string) {
	if g.buckets == nil {
		g.buckets = make(map[bucket]int)
	}
	n := len(g.parent)
	g.parent = append(g.parent, n)
	g.signed = append(g.signed, sign(Normalise(text)))
	for band := range bands {
		key := bucket{band, g.signed[n].band(band)}
		first, seen := g.buckets[key]
		switch {
		case !seen:
			g.buckets[key] = n
		case g.signed[n].similarity(&g.signed[first]) >= similar:
			g.join(first, n)
		}
	}
}

// Of returns the number of the first text in the group of text n.
func (g *Groups) Of(n int) int {
	for g.parent[n] != n {
		g.parent[n] = g.parent[g.parent[n]]
		n = g.parent[n]
	}
	return n
}

func (g *Groups) join(a, b int) {
	a, b = g.Of(a), g.Of(b)
	g.parent[max(a, b)] = min(a, b)
}

// Normalise returns the letters and digits of a text in lower case, with one blank between words.
// A text without letters and digits stays as it is.
func Normalise(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	if len(words) == 0 {
		return text
	}
	return strings.Join(words, " ")
}

// sign returns the signature of a normalised text.
func sign(text string) (s signature) {
	for i := range s {
		s[i] = math.MaxUint32
	}
	starts := make([]int, 0, len(text)) // of the characters
	for i := range text {
		starts = append(starts, i)
	}
	for i := range max(1, len(starts)-piece+1) {
		begin, end := 0, len(text)
		if len(starts) > piece {
			begin = starts[i]
			if i+piece < len(starts) {
				end = starts[i+piece]
			}
		}
		s.add(xxh3.HashString(text[begin:end]))
	}
	return s
}

// add lowers the signature by one piece. The hash functions are a + i*b for the halves a and b of
// a hash, mixed (Kirsch and Mitzenmacher 2008).
func (s *signature) add(hash uint64) {
	a, b := hash, hash>>32|1
	for i := range s {
		h := (a + uint64(i)*b) * 0x9e3779b97f4a7c15
		s[i] = min(s[i], uint32(h>>32))
	}
}

// band returns a hash of one band of the signature.
func (s *signature) band(n int) uint64 {
	h := uint64(n)
	for _, v := range s[n*rows : (n+1)*rows] {
		h = (h ^ uint64(v)) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h
}

// similarity estimates the Jaccard similarity of the pieces of two texts.
func (s *signature) similarity(t *signature) float64 {
	equal := 0
	for i := range s {
		if s[i] == t[i] {
			equal++
		}
	}
	return float64(equal) / float64(len(s))
}
