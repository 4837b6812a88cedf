// Package number finds the numeric answer in a response. Values are exact. A text whose answer is
// not certain is an error: a rule that guesses rewards wrong answers.
//
// Begin with [Find].
package number

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Answer is the number that a text gives as its answer.
type Answer struct {
	Value *big.Rat
	Mark  string // what marked it: "####", `\boxed` or "answer is"; empty: it is the last number
}

// String returns the value in decimals, or as a fraction if it has no end in them.
func (a Answer) String() string {
	if a.Value == nil {
		return "no number"
	}
	if places, exact := a.Value.FloatPrec(); exact {
		return a.Value.FloatString(places)
	}
	return a.Value.RatString()
}

// Find reads the answer of a text: the number after "####" (GSM8K,
// arXiv 2110.14168), else in the last \boxed{} (MATH, arXiv 2103.03874), else
// right after the last "answer is" or "answer:", else the last number. If a mark is there and
// herd cannot read a number behind it, that is an error: the last number of the text is then
// something else. An arithmetic expression, a range or a list is no number, but where it ends
// in "= 72".
//
// Signs, thousands separators, decimals, fractions, mixed numbers, powers of ten
// (1.5e3, 2 million, 5k) and their LaTeX are understood. Units, currencies and
// percent signs are not compared: 50% is 50.
func Find(text string) (Answer, error) {
	var unread []candidate
	for _, m := range []struct {
		mark string
		find func(string) (found, unread []candidate)
	}{{hashMark, hashes}, {boxMark, boxes}, {phraseMark, phrases}} {
		found, more := m.find(text)
		if len(found) > 0 {
			return conclude(found, m.mark)
		}
		unread = append(unread, more...)
	}
	if found := numbers(text); len(found) > 0 && len(unread) == 0 {
		return conclude(found, "")
	}
	if len(unread) > 0 {
		return conclude(unread, "")
	}
	return Answer{}, errors.New("there is no number")
}

// candidate is a possible answer: a part of the text and its value, nil if it is not one number.
type candidate struct {
	words string
	value *big.Rat
}

// conclude chooses the last of the candidates with the same mark, because a solution may correct
// its boxes and phrases. "####" ends a solution, so a text with two of them is ambiguous.
func conclude(found []candidate, mark string) (Answer, error) {
	last := found[len(found)-1]
	if last.value == nil {
		return Answer{}, fmt.Errorf("%q is not one number", strings.Join(strings.Fields(last.words), " "))
	}
	for _, c := range found {
		if mark == hashMark && (c.value == nil || c.value.Cmp(last.value) != 0) {
			return Answer{}, fmt.Errorf("two answers are marked %s: %q and %q", mark, c.words, last.words)
		}
	}
	return Answer{last.value, mark}, nil
}

// numbers returns all numbers of a text.
func numbers(text string) (found []candidate) {
	text = plain(text)
	for _, q := range quantities(text) {
		found = append(found, q.candidate(text))
	}
	return found
}

// quantity is one number in a text, or several that make up a whole: text[start:end],
// without its sign.
type quantity struct {
	value      *big.Rat // nil: not one number
	start, end int
	operand    bool // an operator stands before it
}

func (q quantity) candidate(text string) candidate { return candidate{text[q.start:q.end], q.value} }
