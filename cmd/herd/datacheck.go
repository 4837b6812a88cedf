package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"

	"github.com/sourcegraph/conc/stream"
	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/check"
	"github.com/herd-lm/herd/data/table"
)

func newDataCheckCmd() *cobra.Command {
	var file string
	var sets []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check TABLE --set kind=KIND [--config FILE] [--set KEY=VALUE]...",
		Short: "Judge answers that can be checked",
		Long: `Judge the closing turns of chats, or the candidates of samples, against the
reference in the meta of their row, as rejection sampling does with the same
settings under check.

Settings, for --set and the YAML file, with their defaults:` + listSettings(check.Settings{}),
		Example: "  herd data check samples.arrow --set kind=numeric\n  herd data check chats.arrow --set kind=schema --set schema=person.json --json",
		Args:    operands("TABLE"),
		RunE: func(cmd *cobra.Command, tables []string) error {
			var s check.Settings
			if err := config.Load(file, config.Assignments("--set", sets...), &s); err != nil {
				return err
			}
			checker, err := check.New(s)
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			t := tally{json: asJSON, out: bufio.NewWriter(cmd.OutOrStdout())}
			if err := t.judge(ctx, checker, tables[0]); err != nil {
				return errors.Join(fmt.Errorf("%s: %w", tables[0], err), t.out.Flush())
			}
			return t.end()
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "`FILE` of settings in YAML")
	cmd.Flags().StringArrayVar(&sets, "set", nil, "set one setting: `KEY=VALUE`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each answer")
	return cmd
}

// answer is one response in a table.
type answer struct {
	row      int // from 1
	k        int // of the candidate
	question check.Question
	text     string
}

// answersIn yields the responses in a table of chats or samples.
func answersIn(path string) iter.Seq2[answer, error] {
	return func(yield func(answer, error) bool) {
		switch kind, _, err := table.KindOf(path); {
		case err != nil:
			yield(answer{}, err)
		case kind == table.Chats:
			closingTurns(path, yield)
		case kind == table.Samples:
			candidates(path, yield)
		default:
			yield(answer{}, fmt.Errorf("it holds %s: only chats and samples have answers to check", kind))
		}
	}
}

func closingTurns(path string, yield func(answer, error) bool) {
	number := 0
	for row, err := range table.Scan[table.Chat](path) {
		last := len(row.Messages) - 1
		if err == nil && (last < 0 || row.Messages[last].Role != chat.Assistant) {
			err = fmt.Errorf("row %s does not end with a turn of the assistant: there is nothing to check", row.ID)
		}
		if err != nil {
			yield(answer{}, err)
			return
		}
		number++
		q := check.Question{ID: row.ID, Prompt: row.Messages[:last], Meta: row.Meta}
		if !yield(answer{number, 0, q, row.Messages[last].Content}, nil) {
			return
		}
	}
}

func candidates(path string, yield func(answer, error) bool) {
	number := 0
	for row, err := range table.Scan[table.Sample](path) {
		if err != nil {
			yield(answer{}, err)
			return
		}
		number++
		q := check.Question{ID: row.ID, Prompt: row.Prompt, Meta: row.Meta}
		for _, c := range row.Candidates {
			if !yield(answer{number, c.K, q, c.Text}, nil) {
				return
			}
		}
	}
}

// judgedJSON is an answer as --json prints it.
type judgedJSON struct {
	ID      string  `json:"id"`
	K       int     `json:"k"`
	Correct bool    `json:"correct"`
	Score   float64 `json:"score"`
	Note    string  `json:"note,omitempty"`
}

// tally counts and prints what a checker says, in the order of the table.
type tally struct {
	json bool
	out  *bufio.Writer // keeps the first error

	answers, correct int
	rows, solved     int  // rows, and those with a correct answer
	open             bool // the last row has none so far
	score            float64
}

// judge asks about all answers of a table, several at once. The first that cannot
// be judged ends it.
func (t *tally) judge(ctx context.Context, checker check.Checker, path string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	asked := stream.New().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	for a, err := range answersIn(path) {
		if err != nil {
			stop(err)
		}
		if ctx.Err() != nil {
			break
		}
		asked.Go(func() stream.Callback {
			o, err := checker.Check(ctx, a.question, a.text)
			return func() {
				if err != nil {
					stop(err) // of several the first counts
				}
				if ctx.Err() == nil {
					t.add(a, o)
				}
			}
		})
	}
	asked.Wait()
	return context.Cause(ctx)
}

func (t *tally) add(a answer, o check.Outcome) {
	if a.row != t.rows {
		t.rows, t.open = a.row, true
	}
	t.answers++
	t.score += o.Score
	if o.Correct {
		t.correct++
		if t.open {
			t.solved, t.open = t.solved+1, false
		}
	}
	if t.json {
		_ = jsonLines(t.out).Encode(judgedJSON{a.question.ID, a.k, o.Correct, o.Score, o.Note}) // out keeps the error
	}
}

// end prints the sums.
func (t *tally) end() error {
	if !t.json {
		if t.answers == 0 {
			return fmt.Errorf("there are no answers to check")
		}
		t.print(t.out)
	}
	return t.out.Flush()
}

func (t *tally) print(w io.Writer) {
	fmt.Fprintf(w, "%d of %d answers are correct (%.1f%%), mean score %.3f\n",
		t.correct, t.answers, 100*float64(t.correct)/float64(t.answers), t.score/float64(t.answers))
	if t.rows < t.answers {
		fmt.Fprintf(w, "%d of %d prompts have a correct one (%.1f%%)\n", t.solved, t.rows, 100*float64(t.solved)/float64(t.rows))
	}
}
