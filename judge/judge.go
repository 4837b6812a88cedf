// Package judge says what answers are worth.
//
// A [Judge] takes questions with their answers and returns a [Verdict] on each answer. The
// same interface serves every use: rejection sampling scores what it draws, a recipe measures
// a stage, and `herd data check` counts right answers. The implementations are:
//
//   - judge/rule: rules for answers that can be checked (exact, numeric, regex, ...)
//   - judge/reward: reward models, in this process or on a server
//   - [Combine]: a rule and a reward model together
//
// judge/scoring reads a judge from the settings of a run: begin with scoring.Settings.Open,
// or with rule.New if you want rules only. [Sample], [Chat] and [Prompt] make questions of
// rows of tables. This package and judge/rule import no model, so that data tools stay light.
package judge

import (
	"context"
	"fmt"
)

// Judge judges answers. It is safe for concurrent use.
type Judge interface {
	// Verdicts returns a verdict on every answer: [items][answers of the item]. A verdict
	// depends on nothing but the question and that answer. An error means that an answer
	// could not be judged, which is not the same as a wrong answer.
	Verdicts(ctx context.Context, items []Item) ([][]Verdict, error)

	// Accepts returns an error if answers to q cannot be judged: a *TooLong, or what is
	// wrong with the question. Callers ask before they spend hours on drawing answers.
	Accepts(q Question) error
}

// Verdict is what a judge says of one answer.
type Verdict struct {
	Score   float64     // of two answers to a question, the one with the higher score is better
	Correct Correctness // Unknown unless a rule decided it
	Reward  *float64    // the reward model's part in the score; nil: there was no reward model
	Note    string      // the reason, for people; the same answer always gets the same note
}

// Correctness says whether an answer is correct, if that is known.
type Correctness int8

// The values of Correctness.
const (
	Unknown Correctness = iota
	Wrong
	Correct
)

// CorrectIf returns Correct or Wrong.
func CorrectIf(correct bool) Correctness {
	if correct {
		return Correct
	}
	return Wrong
}

// Bool returns a pointer to the truth, as rows of tables keep it; nil: Unknown.
func (c Correctness) Bool() *bool {
	if c == Unknown {
		return nil
	}
	correct := c == Correct
	return &correct
}

// TooLong reports a question after which a model has no room for an answer.
type TooLong struct {
	Tokens, Positions int
	Model             string // which model: "reward model"
}

// Error implements error.
func (e *TooLong) Error() string {
	return fmt.Sprintf("the prompt has %d tokens, the %s %d positions: nothing can follow", e.Tokens, e.Model, e.Positions)
}
