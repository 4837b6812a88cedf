package jinja

import "sort"

// Origin identifies the caller's value that a text came from; 0 is the template.
type Origin int32

// Mark describes where a piece of text came from.
type Mark struct {
	Origin    Origin
	Generated bool // the template wrote it within {% generation %}
}

// Text is a string with marked parts. Slices, joins and replacements of texts keep the marks.
// Comparisons ignore them.
type Text struct {
	s    string
	mark Mark  // mark of the whole text if there are no runs
	runs []Run // parts that cover s, and may extend beyond it
	at   int   // offset of s in the bytes that runs cover
	safe bool  // it is Python's Markup, see safe.go
}

// Run is a part of a text with one mark. It ends before the byte End.
type Run struct {
	End  int
	Mark Mark
}

// NewText returns s marked with origin.
func NewText(s string, origin Origin) Text { return Text{s: s, mark: Mark{Origin: origin}} }

func literal(s string) Text { return Text{s: s} }

// String returns the text without its marks.
func (t Text) String() string { return t.s }

// Runs returns the parts of the text in order. None is empty, and neighbours
// differ in their marks.
func (t Text) Runs() []Run {
	var runs []Run
	end := 0
	t.each(func(s string, m Mark) {
		end += len(s)
		runs = append(runs, Run{end, m})
	})
	return runs
}

// Slice returns the bytes [from, to) of the text.
func (t Text) Slice(from, to int) Text {
	if from >= to {
		return Text{safe: t.safe}
	}
	part := Text{s: t.s[from:to], mark: t.mark, safe: t.safe}
	if t.runs == nil {
		return part
	}
	part.at = t.at + from
	first := t.runAt(part.at)
	last := t.runAt(t.at + to - 1)
	if part.runs = t.runs[first : last+1]; first == last {
		return Text{s: part.s, mark: part.runs[0].Mark, safe: t.safe}
	}
	return part
}

// runAt returns the index of the run that contains the byte at, which counts from the start of the
// runs.
func (t Text) runAt(at int) int {
	return sort.Search(len(t.runs), func(i int) bool { return t.runs[i].End > at })
}

// each calls do with each part that has one mark.
func (t Text) each(do func(s string, m Mark)) {
	if t.runs == nil {
		if t.s != "" {
			do(t.s, t.mark)
		}
		return
	}
	start := 0
	for _, r := range t.runs {
		end := min(r.End-t.at, len(t.s))
		do(t.s[start:end], r.Mark)
		start = end
	}
}

// convert applies f to each part with one mark. f must convert each character independently.
func (t Text) convert(f func(string) string) Text {
	if t.runs == nil {
		return Text{s: f(t.s), mark: t.mark, safe: t.safe}
	}
	var b builder
	t.each(func(s string, m Mark) { b.write(f(s), m) })
	return b.text().as(t.safe)
}

// builder joins texts.
type builder struct {
	s    []byte
	runs []Run
}

func (b *builder) add(t Text) { t.each(b.write) }

func (b *builder) literal(s string) { b.write(s, Mark{}) }

func (b *builder) write(s string, m Mark) {
	if s == "" {
		return
	}
	b.s = append(b.s, s...)
	if last := len(b.runs) - 1; last >= 0 && b.runs[last].Mark == m {
		b.runs[last].End = len(b.s)
		return
	}
	b.runs = append(b.runs, Run{len(b.s), m})
}

func (b *builder) text() Text {
	t := Text{s: string(b.s)}
	switch len(b.runs) {
	case 0:
	case 1:
		t.mark = b.runs[0].Mark
	default:
		t.runs = b.runs
	}
	return t
}

// Concat joins texts with their marks.
func Concat(texts ...Text) Text {
	var b builder
	for _, t := range texts {
		b.add(t)
	}
	return b.text()
}
