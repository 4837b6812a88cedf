package world

import (
	"strconv"
	"strings"

	"github.com/herd-lm/herd/judge/rule"
)

// Item is one thing that can be asked: a fact of the world, or an exercise.
type Item struct {
	Class string // mix class: General, Maths, Code or Multilingual
	Task  string // finer than the class: "lives", "add", "len", ...

	// Fact names what the question is about at bottom. Items that share a fact
	// ("17 + 8", "8 + 17" and the story of 17 apples and 8 more; everything
	// about one person) always fall into the same split, so that no stage sees
	// a held-out fact in another guise.
	Fact string

	// Exercise says that the answer can be worked out. Documents state no
	// held-out exercise, but all other facts: they are known from there or not
	// at all.
	Exercise bool

	Questions  []string // phrasings of the same question
	Statements []string // ways in which a document may state the fact
	Answer     string   // the short right answer
	Wrong      []string // plausible wrong answers

	reply string // the canonical response, with {V} for the answer
}

// Reply returns the canonical response that gives answer: one short sentence
// with a capital and a full stop. Reply(i.Answer) is the only accepted one.
func (i *Item) Reply(answer string) string {
	return strings.ReplaceAll(i.reply, "{V}", answer)
}

// slack is by how many words a response may exceed the canonical one and still
// count as concise. Every verbose style of ours is longer than that.
const slack = 2

// Meta returns the columns that rule.GradeOf needs, and what tells rows apart.
func (i *Item) Meta() map[string]string {
	accept := i.Reply(i.Answer)
	return map[string]string{
		"class":     i.Class,
		"task":      i.Task,
		"fact":      i.Fact,
		"answer":    i.Answer,
		"accept":    accept,
		"max_words": strconv.Itoa(len(strings.Fields(accept)) + slack),
	}
}

// frame is what the items of one task have in common: sentences with
// placeholders, {V} being the answer's.
type frame struct {
	class, task string
	exercise    bool
	reply       string
	questions   []string
	statements  []string
}

// item fills the frame: fill lists placeholders and their values in turn, as
// strings.NewReplacer wants them. Wrong answers that would contain the right
// one ("two" for "two") are left out, so that a wrong reply can be told.
func (f frame) item(fact, answer string, wrong []string, fill ...string) Item {
	known := strings.NewReplacer(fill...)
	stated := strings.NewReplacer(append([]string{"{V}", answer}, fill...)...)
	i := Item{
		Class: f.class, Task: known.Replace(f.task), Fact: fact, Exercise: f.exercise, Answer: answer,
		Questions:  replaceEach(known, f.questions),
		Statements: replaceEach(stated, f.statements),
		reply:      known.Replace(f.reply),
	}
	for _, w := range wrong {
		if !rule.ContainsWord(i.Reply(w), answer) {
			i.Wrong = append(i.Wrong, w)
		}
	}
	return i
}

func replaceEach(r *strings.Replacer, templates []string) []string {
	filled := make([]string, len(templates))
	for i, t := range templates {
		filled[i] = r.Replace(t)
	}
	return filled
}

// nearMisses returns the numbers that somebody who cannot quite calculate
// gives instead of n.
func nearMisses(n int) []string {
	var wrong []string
	for _, d := range []int{-1, 1, -2, 2, -10, 10} {
		if n+d > 0 {
			wrong = append(wrong, strconv.Itoa(n+d))
		}
	}
	return wrong
}
