package world

import (
	"strconv"
	"strings"

	"github.com/herd-lm/herd/judge/rule"
)

// Item is something to ask: a fact of the world, or an exercise.
type Item struct {
	Class string // mix class: General, Maths, Code or Multilingual
	Task  string // finer than the class: "lives", "add", "len", ...

	// Fact identifies the underlying fact. Items that share a fact ("17 + 8", "8 + 17" and the
	// story of 17 apples and 8 more; everything about one person) always fall into the same
	// split, so that no stage sees a held-out fact in other words.
	Fact string

	// Exercise reports that a model can work out the answer. Documents state no held-out
	// exercise. They state all other facts, which a model cannot learn elsewhere.
	Exercise bool

	Questions  []string // different wordings of the question
	Statements []string // sentences with which a document may state the fact
	Answer     string   // short and right
	Wrong      []string // plausible wrong answers

	reply string // the canonical response, with {V} for the answer
}

// Reply returns the canonical response with the given answer: one short sentence with a capital
// and a full stop. Only Reply(i.Answer) is accepted.
func (i *Item) Reply(answer string) string {
	return strings.ReplaceAll(i.reply, "{V}", answer)
}

// slack is by how many words a response may exceed the canonical one and still count as
// concise. Every verbose style below exceeds it.
const slack = 2

// Meta returns the columns that rule.GradeOf needs, and those that describe the item.
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

// frame is what the items of one task share: sentences with placeholders. {V} is the answer.
type frame struct {
	class, task string
	exercise    bool
	reply       string
	questions   []string
	statements  []string
}

// item fills the frame. fill lists placeholders and values in turn, as strings.NewReplacer
// expects. item omits wrong answers that contain the right one, so that a wrong reply is
// recognisable.
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

// nearMisses returns the wrong results of someone who cannot quite calculate n.
func nearMisses(n int) []string {
	var wrong []string
	for _, d := range []int{-1, 1, -2, 2, -10, 10} {
		if n+d > 0 {
			wrong = append(wrong, strconv.Itoa(n+d))
		}
	}
	return wrong
}
