package eval

import (
	"context"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/policy"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/data/check"
	"github.com/herd-lm/herd/data/table"
)

// Answer is a model's response to a prompt, and what it is worth.
type Answer struct {
	Prompt  string        `json:"prompt"` // id of the row
	Class   string        `json:"class,omitempty"`
	Text    string        `json:"text"`
	Finish  string        `json:"finish"`
	Verdict check.Verdict `json:"verdict"`
	Grade   int           `json:"grade"`
}

// slots is how many answers advance together.
const slots = 64

// Answers lets a model respond to prompts whose answers can be checked.
func Answers(ctx context.Context, p *model.Params, tok *tokenizer.Tokenizer, prompts []table.Chat, s sample.Settings) ([]Answer, error) {
	from, err := policy.Of(p, tok, engine.Options{Slots: slots})
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	requests := make([]sample.Request, len(prompts))
	for i, row := range prompts {
		if requests[i], err = from.Ask(row.Messages, s, uint64(i)); err != nil {
			return nil, fmt.Errorf("eval: row %s: %w", row.ID, err)
		}
	}
	answers := make([]Answer, len(prompts))
	err = from.Sampler().Generate(ctx, requests, func(i int, c []sample.Completion) error {
		answers[i] = judge(prompts[i], c[0].Text, c[0].Finish)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	return answers, nil
}

// judge checks a response. One that was cut off is not well-formed, whatever
// it looks like so far, and so not correct.
func judge(row table.Chat, text, finish string) Answer {
	v := check.Response(row.Meta, text)
	if finish != sample.Stop {
		v.Correct, v.WellFormed, v.Concise = false, false, false
	}
	return Answer{Prompt: row.ID, Class: row.Meta["class"], Text: strings.TrimSpace(text), Finish: finish, Verdict: v, Grade: v.Grade()}
}

// Quality measures answers: accuracy is exact match with an accepted answer,
// also by class; contains, well_formed and concise are its parts.
func Quality(answers []Answer) Measures {
	m := Measures{
		"accuracy":    share(answers, func(a Answer) bool { return a.Verdict.Correct }),
		"contains":    share(answers, func(a Answer) bool { return a.Verdict.Contains }),
		"well_formed": share(answers, func(a Answer) bool { return a.Verdict.WellFormed }),
		"concise":     share(answers, func(a Answer) bool { return a.Verdict.Concise }),
	}
	byClass := make(map[string][]Answer)
	for _, a := range answers {
		byClass[a.Class] = append(byClass[a.Class], a)
	}
	for class, list := range byClass {
		if class != "" {
			m["accuracy/"+class] = share(list, func(a Answer) bool { return a.Verdict.Correct })
		}
	}
	return m
}

func share(answers []Answer, is func(Answer) bool) Measure {
	k := 0.0
	for _, a := range answers {
		if is(a) {
			k++
		}
	}
	return Proportion(k, len(answers))
}

// WinRate returns how often the first answer to a prompt beats the second under
// the checker, ties counting half.
func WinRate(first, second []Answer) (Measure, error) {
	if len(first) != len(second) {
		return Measure{}, fmt.Errorf("eval: %d answers against %d", len(first), len(second))
	}
	var wins count
	for i, a := range first {
		b := second[i]
		if a.Prompt != b.Prompt {
			return Measure{}, fmt.Errorf("eval: answer %d is to prompt %s in one list and to %s in the other", i, a.Prompt, b.Prompt)
		}
		wins.add(outcome(float64(a.Grade - b.Grade)))
	}
	return wins.share(), nil
}
