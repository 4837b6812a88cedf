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
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
)

func newDataCheckCmd() *cobra.Command {
	var file string
	var sets []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check TABLE --set kind=KIND [--config FILE] [--set KEY=VALUE]...",
		Short: "Check answers against references",
		Long: `Check the last assistant turn of each chat, or each candidate of a table of samples,
against the reference in its row. The same settings under check make rejection
sampling and recipes check answers in the same way.`,
		Example: "  herd data check samples.arrow --set kind=numeric\n  herd data check chats.arrow --set kind=schema --set schema=person.json --json",
		Args:    operands("TABLE"),
		RunE: func(cmd *cobra.Command, tables []string) error {
			var s rule.Settings
			if err := config.Load(file, config.Assignments("--set", sets...), &s); err != nil {
				return err
			}
			checker, err := rule.New(s)
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
	addSettings(cmd, rule.Settings{})
	cmd.Flags().StringVar(&file, "config", "", "`FILE` of settings in YAML")
	cmd.Flags().StringArrayVar(&sets, "set", nil, "set one setting: `KEY=VALUE`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each answer")
	return cmd
}

// itemsIn yields the rows of a table of chats or samples: the id of each, with its question and
// answers.
func itemsIn(path string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		rows, err := table.OpenAny(path)
		if err != nil {
			yield(row{}, err)
			return
		}
		defer rows.Close()
		if kind := rows.Header().Kind; kind != table.Chats && kind != table.Samples {
			yield(row{}, fmt.Errorf("the table holds %s: only chats and samples have answers to check", kind))
			return
		}
		for stored, err := range rows.Records(0) {
			var r row
			if err == nil {
				r, err = toJudge(stored)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// row is the part of a table's row that a judge needs.
type row struct {
	id      string
	numbers []int // of the answers
	item    judge.Item
}

// toJudge returns the part of a chat or sample that a judge needs.
func toJudge(stored table.Record) (row, error) {
	switch r := stored.(type) {
	case *table.Chat:
		item, err := judge.Chat(*r)
		return row{r.ID, []int{0}, item}, err
	case *table.Sample:
		numbers := make([]int, len(r.Candidates))
		for i, c := range r.Candidates {
			numbers[i] = c.K
		}
		return row{r.ID, numbers, judge.Sample(*r)}, nil
	}
	return row{}, fmt.Errorf("a row of %s has no answers to check", stored.RowKind())
}

// judgedJSON is a verdict as --json prints it.
type judgedJSON struct {
	ID      string  `json:"id"`
	K       int     `json:"k"`
	Correct bool    `json:"correct"`
	Score   float64 `json:"score"`
	Note    string  `json:"note,omitempty"`
}

// tally counts and prints verdicts, in the order of the table.
type tally struct {
	json bool
	out  *bufio.Writer // keeps the first error

	answers, correct int
	rows, solved     int // rows with answers, and those with a correct one
	score            float64
}

// judge judges all rows of a table, several at once. It stops at the first row that it cannot
// judge.
func (t *tally) judge(ctx context.Context, j judge.Judge, path string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	asked := stream.New().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	for r, err := range itemsIn(path) {
		if err != nil {
			stop(err)
		}
		if ctx.Err() != nil {
			break
		}
		asked.Go(func() stream.Callback {
			verdicts, err := j.Verdicts(ctx, []judge.Item{r.item})
			return func() {
				if err != nil {
					stop(err) // only the first error counts
				}
				if ctx.Err() == nil {
					t.add(r, verdicts[0])
				}
			}
		})
	}
	asked.Wait()
	return context.Cause(ctx)
}

func (t *tally) add(r row, verdicts []judge.Verdict) {
	solved := false
	for i, v := range verdicts {
		t.answers++
		t.score += v.Score
		correct := v.Correct == judge.Correct
		if correct {
			t.correct++
			solved = true
		}
		if t.json {
			_ = jsonLines(t.out).Encode(judgedJSON{r.id, r.numbers[i], correct, v.Score, v.Note}) // out keeps the error
		}
	}
	if len(verdicts) > 0 {
		t.rows++
	}
	if solved {
		t.solved++
	}
}

// end prints the totals.
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
		fmt.Fprintf(w, "%d of %d prompts have a correct answer (%.1f%%)\n", t.solved, t.rows, 100*float64(t.solved)/float64(t.rows))
	}
}
