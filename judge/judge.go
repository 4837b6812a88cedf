// Package judge scores answers and decides whether they are correct.
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
	// Verdicts returns a verdict on every answer: [items][answers of the item]. A verdict depends
	// only on the question and that answer. An error means that the judge could not judge an
	// answer, which is different from a wrong answer.
	Verdicts(ctx context.Context, items []Item) ([][]Verdict, error)

	// Accepts returns an error if the judge cannot judge answers to q: a *TooLong, or an error that
	// says what is wrong with the question. Call it before you spend hours on sampling answers.
	Accepts(q Question) error
}

// Verdict is a judge's result for one answer.
type Verdict struct {
	Score   float64     // higher is better, among answers to the same question
	Correct Correctness // Unknown unless a rule checked the answer
	Reward  *float64    // the reward model's part of the score; nil: no reward model
	Note    string      // reason in words; the same answer always gets the same note
}

// Correctness is whether an answer is correct: Correct, Wrong or Unknown.
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

// Bool returns a pointer to true or false, as table rows store it, or nil for Unknown.
func (c Correctness) Bool() *bool {
	if c == Unknown {
		return nil
	}
	correct := c == Correct
	return &correct
}

// TooLong is the error for a question that leaves the model no room for an answer.
type TooLong struct {
	Tokens, Positions int
	Model             string // name of the model in the error, such as "reward model"
}

// Error implements error.
func (e *TooLong) Error() string {
	return fmt.Sprintf("the prompt has %d tokens, the %s %d positions: nothing can follow", e.Tokens, e.Model, e.Positions)
}
