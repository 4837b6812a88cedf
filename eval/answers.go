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
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/stat"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
)

// Answer is a model's response to a prompt, with its grade.
type Answer struct {
	Prompt  string     `json:"prompt"` // id of the row
	Class   string     `json:"class,omitempty"`
	Text    string     `json:"text"`
	Finish  string     `json:"finish"`
	Verdict rule.Grade `json:"verdict"` // by the prompt's own row
	Grade   int        `json:"grade"`   // its points, 0 to 5

	Check *Checked `json:"check,omitempty"` // verdict of a rule, which replaces the grade; nil: no rule
}

// Checked is a rule's verdict on an answer.
type Checked struct {
	Correct bool    `json:"correct"`
	Score   float64 `json:"score"` // 0 to 1
	Note    string  `json:"note,omitempty"`
}

// Correct reports whether the answer is correct: by the rule, if there is one, else by the
// prompt's own row.
func (a Answer) Correct() bool {
	if a.Check != nil {
		return a.Check.Correct
	}
	return a.Verdict.Correct
}

// worth returns a number that orders the answers to one prompt.
func (a Answer) worth() float64 {
	if a.Check != nil {
		return a.Check.Score
	}
	return float64(a.Grade)
}

// slots is the number of answers that the engine generates at once.
const slots = 64

// Answers generates a model's answers to prompts and grades them with check, or if check is nil, by
// the prompt's row (rule.GradeOf). A final assistant message is the reference, not part of the
// prompt.
func Answers(ctx context.Context, p *model.Params, tok *tokenizer.Tokenizer, prompts []table.Chat, s sample.Settings, check judge.Judge) ([]Answer, error) {
	if err := accepts(check, prompts); err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	from, err := policy.Of(p, tok, engine.Options{Slots: slots})
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	requests := make([]sample.Request, len(prompts))
	for i, row := range prompts {
		if requests[i], err = from.Ask(judge.Prompt(row).Prompt, row.Tools, s, uint64(i)); err != nil {
			return nil, fmt.Errorf("eval: row %s: %w", row.ID, err)
		}
	}
	answers := make([]Answer, len(prompts))
	err = from.Sampler().Generate(ctx, requests, func(i int, c []sample.Completion) error {
		answers[i] = grade(prompts[i], c[0].Text, c[0].Finish)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	if err := addChecks(ctx, check, prompts, answers); err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	return answers, nil
}

// grade returns the answer with the grade of the prompt's row.
func grade(row table.Chat, text, finish string) Answer {
	g := rule.GradeOf(row.Meta, text)
	if finish != sample.Stop {
		g = g.Truncated()
	}
	return Answer{Prompt: row.ID, Class: row.Meta["class"], Text: strings.TrimSpace(text), Finish: finish, Verdict: g, Grade: g.Points()}
}

// accepts returns an error for the first prompt whose answers check cannot judge.
func accepts(check judge.Judge, prompts []table.Chat) error {
	if check == nil {
		return nil
	}
	for _, row := range prompts {
		if err := check.Accepts(judge.Prompt(row)); err != nil {
			return err
		}
	}
	return nil
}

// addChecks adds the verdicts of check to the answers.
func addChecks(ctx context.Context, check judge.Judge, prompts []table.Chat, answers []Answer) error {
	if check == nil {
		return nil
	}
	items := make([]judge.Item, len(answers))
	for i, a := range answers {
		items[i] = judge.Item{Question: judge.Prompt(prompts[i]), Answers: []judge.Answer{{Text: a.Text, Truncated: a.Finish != sample.Stop}}}
	}
	verdicts, err := check.Verdicts(ctx, items)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		answers[i].Check = &Checked{Correct: v[0].Correct == judge.Correct, Score: v[0].Score, Note: v[0].Note}
	}
	return nil
}

// Quality measures answers: accuracy is the share of correct ones, in all and by class. If the
// prompts' own rows decide, contains, well_formed and concise are the parts of that. If a rule
// decides, score is the mean of its scores.
func Quality(answers []Answer) Measures {
	m := Measures{"accuracy": share(answers, Answer.Correct)}
	if len(answers) > 0 && answers[0].Check != nil {
		m["score"] = stat.Mean(scores(answers))
	} else {
		m["contains"] = share(answers, func(a Answer) bool { return a.Verdict.Contains })
		m["well_formed"] = share(answers, func(a Answer) bool { return a.Verdict.WellFormed })
		m["concise"] = share(answers, func(a Answer) bool { return a.Verdict.Concise })
	}
	byClass := make(map[string][]Answer)
	for _, a := range answers {
		byClass[a.Class] = append(byClass[a.Class], a)
	}
	for class, list := range byClass {
		if class != "" {
			m["accuracy/"+class] = share(list, Answer.Correct)
		}
	}
	return m
}

func scores(answers []Answer) []float64 {
	list := make([]float64, len(answers))
	for i, a := range answers {
		list[i] = a.Check.Score
	}
	return list
}

func share(answers []Answer, is func(Answer) bool) stat.Measure {
	k := 0.0
	for _, a := range answers {
		if is(a) {
			k++
		}
	}
	return stat.Proportion(k, len(answers))
}

// WinRate returns how often the first answer to a prompt has a higher score or grade than the
// second. Ties count half.
func WinRate(first, second []Answer) (stat.Measure, error) {
	if len(first) != len(second) {
		return stat.Measure{}, fmt.Errorf("eval: %d answers against %d", len(first), len(second))
	}
	var wins count
	for i, a := range first {
		b := second[i]
		if a.Prompt != b.Prompt {
			return stat.Measure{}, fmt.Errorf("eval: answer %d is to prompt %s in one list and to %s in the other", i, a.Prompt, b.Prompt)
		}
		wins.add(stat.Win(a.worth() - b.worth()))
	}
	return wins.share(), nil
}
