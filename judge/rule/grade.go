package rule

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/herd-lm/herd/judge"
)

// Grade is what the row of a prompt says of a response.
type Grade struct {
	Correct    bool // the trimmed response equals an accepted one, byte by byte
	Contains   bool // the short answer occurs as whole words; case does not matter
	WellFormed bool // begins with a capital and ends with a full stop
	Concise    bool // has at most max_words words
}

// GradeOf grades a response by the prompt's meta: "answer" (the short answer), "accept"
// (accepted responses, one per line) and "max_words". A part whose key is missing or
// unreadable is false.
func GradeOf(meta map[string]string, response string) Grade {
	text := strings.TrimSpace(response)
	most, err := strconv.Atoi(meta["max_words"])
	return Grade{
		Correct:    text != "" && accepts(meta["accept"], text),
		Contains:   ContainsWord(text, meta["answer"]),
		WellFormed: wellFormed(text),
		Concise:    err == nil && text != "" && len(strings.Fields(text)) <= most,
	}
}

// Truncated returns the grade of a response that was cut off: whatever it looks like so far,
// it is not well-formed, not concise, and so not correct.
func (g Grade) Truncated() Grade { return Grade{Contains: g.Contains} }

// MostPoints is the highest number of points.
const MostPoints = 5

// Points orders responses, from 0 to MostPoints: the right answer counts three, form and
// brevity one each.
func (g Grade) Points() int {
	points := 0
	if g.Contains {
		points = 3
	}
	if g.WellFormed {
		points++
	}
	if g.Concise {
		points++
	}
	return points
}

// ByPrompt returns the judge that grades answers by the meta of their prompt's row. The score
// is the share of the points; the correctness is Unknown if the row accepts no response.
func ByPrompt() judge.Judge { return judge.Each(byPrompt{}) }

type byPrompt struct{}

// Accepts implements judge.Single: any row will do.
func (byPrompt) Accepts(judge.Question) error { return nil }

// Verdict implements judge.Single.
func (byPrompt) Verdict(_ context.Context, q judge.Question, a judge.Answer) (judge.Verdict, error) {
	g := GradeOf(q.Meta, a.Text)
	if a.Truncated {
		g = g.Truncated()
	}
	v := judge.Verdict{Score: float64(g.Points()) / MostPoints}
	if q.Meta["accept"] != "" {
		v.Correct = judge.CorrectIf(g.Correct)
	}
	return v, nil
}

func accepts(accepted, text string) bool {
	for line := range strings.Lines(accepted) {
		if strings.TrimSuffix(line, "\n") == text {
			return true
		}
	}
	return false
}

func wellFormed(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.IsUpper(first) && strings.HasSuffix(text, ".")
}

// ContainsWord reports whether word, which may be several words, occurs in text with no letter
// or digit on either side. Case does not matter.
func ContainsWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	if word == "" {
		return false
	}
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		start, end := from+at, from+at+len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !inWord(before) && !inWord(after) {
			return true
		}
		_, step := utf8.DecodeRuneInString(text[start:])
		from = start + step
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
