package report

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data/table"
)

// Options of a report.
type Options struct {
	Title string // title of the page; empty: Rejection sampling
	Seed  uint64 // seed that selects the examples and the resamples of the intervals
}

// Builder collects rows. It keeps 40 bytes per sample, and the texts of a few prompts.
type Builder struct {
	options Options
	prompts []prompt
	shelf   shelf
}

// New returns a builder without rows.
func New(o Options) *Builder { return &Builder{options: o} }

// prompt holds what the report needs of a row.
type prompt struct {
	place
	id       string
	distinct int // number of different texts
	missing  int // how many numbers k have no sample
	draws    []draw
}

// place orders prompts by a hash of the seed and their ids, and rows with the same id by their
// content. The result does not depend on the order of the rows, and its first prompts are a random
// choice.
type place struct{ key, content uint64 }

func (a place) compare(b place) int {
	return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.content, b.content))
}

// draw holds what the report needs of a sample. Score, reward and correct (0 or 1) are NaN if they
// are not known.
type draw struct {
	tokens, characters int32
	score, reward      float64
	correct            float64
	cut, unnumbered    bool // unnumbered: a text without ids
}

// Add adds a row.
func (b *Builder) Add(row table.Sample) {
	p := prompt{place: placeOf(b.options.Seed, row), id: shorten(promptID(row), mostID)}
	p.distinct, p.missing = countTexts(row.Candidates), countMissing(row.Candidates)
	p.draws = make([]draw, len(row.Candidates))
	for i, c := range row.Candidates {
		p.draws[i] = newDraw(c)
	}
	b.prompts = append(b.prompts, p)
	b.shelf.offer(p, row)
}

func newDraw(c table.Candidate) draw {
	return draw{
		tokens: clampLength(len(c.IDs)), characters: clampLength(utf8.RuneCountInString(c.Text)),
		score: number(c.Score), reward: number(c.Reward), correct: truth(c.Correct),
		cut: c.Finish == sample.Length, unnumbered: len(c.IDs) == 0 && c.Text != "",
	}
}

func clampLength(n int) int32 { return int32(min(n, math.MaxInt32)) }

// mostNumber is the largest magnitude for which sums of many squares stay finite. Larger numbers
// count as missing.
const mostNumber = 1e100

func number(x *float64) float64 {
	if x == nil || !(math.Abs(*x) <= mostNumber) {
		return math.NaN()
	}
	return *x
}

func truth(b *bool) float64 {
	switch {
	case b == nil:
		return math.NaN()
	case *b:
		return 1
	}
	return 0
}

// promptID is the id of the prompt that a row answers: its first parent, or its own.
func promptID(row table.Sample) string {
	if len(row.Parents) > 0 {
		return row.Parents[0]
	}
	return row.ID
}

func placeOf(seed uint64, row table.Sample) place {
	h := xxh3.New()
	text := func(s string) { _, _ = h.WriteString(s); _, _ = h.Write(binary.AppendUvarint(nil, uint64(len(s)))) }
	for _, m := range row.Prompt {
		text(m.Role)
		text(m.Content)
	}
	for _, c := range row.Candidates {
		text(c.Text)
		text(c.Finish)
		text(c.Note)
		for _, x := range []float64{number(c.Score), number(c.Reward), truth(c.Correct), float64(c.K), float64(len(c.IDs))} {
			_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
		}
	}
	return place{key: xxh3.HashStringSeed(promptID(row), seed), content: h.Sum64()}
}

// countTexts returns the number of different texts.
func countTexts(candidates []table.Candidate) int {
	texts := make(map[string]struct{}, len(candidates))
	for _, c := range candidates {
		texts[c.Text] = struct{}{}
	}
	return len(texts)
}

// countMissing returns how many numbers below the last have no candidate: those that were
// dropped before the table was written.
func countMissing(candidates []table.Candidate) int {
	last, seen := -1, make(map[int]struct{}, len(candidates))
	for _, c := range candidates {
		last = max(last, c.K)
		seen[c.K] = struct{}{}
	}
	return max(0, last+1-len(seen))
}

// sorted returns the prompts in the order of their places.
func (b *Builder) sorted() []prompt {
	return slices.SortedFunc(slices.Values(b.prompts), func(p, q prompt) int { return p.compare(q.place) })
}
