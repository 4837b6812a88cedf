package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/eval/stat"
)

func newScoreCmd() *cobra.Command {
	var m modelFlags
	var in, out string
	var overwrite bool
	cmd := &cobra.Command{
		Use:   "score --model DIR --in FILE",
		Short: "Compute log-probabilities or rewards of texts, answers and pairs",
		Long: `Score each row of a table of chats, preferences, samples or documents, or each
line of a JSONL file: {"tokens": [...]}, {"text": "..."}, or a row of any format that herd
data import reads.

A language model gives log-probabilities in nats. For tokens and texts it gives that of every
token after the first, and herd puts the beginning-of-text token before a text, if the model
uses one. For a chat it gives the sum over the assistant's last message, for a preference both
responses, for a sample all candidates. A reward model gives the reward at the end of each.

After preferences, herd prints how often the chosen response has the higher score.`,
		Example: `  herd score --model base --in texts.jsonl --out scores.jsonl
  herd score --model judge --in preferences.arrow --out rewards.jsonl`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return scoreFile(ctx, m, in, out, overwrite)
		},
	}
	flags := cmd.Flags()
	m.add(cmd)
	m.addTemplate(cmd)
	flags.StringVar(&in, "in", "", "`FILE` of rows to score: a table or JSON lines; -: JSON lines from standard input")
	flags.StringVar(&out, "out", "-", "`FILE` to write JSON lines to; -: standard output")
	flags.BoolVar(&overwrite, "overwrite", false, "replace the file if it exists")
	require(cmd, "model|adapter", "in")
	return cmd
}

func scoreFile(ctx context.Context, m modelFlags, in, out string, overwrite bool) error {
	at, err := m.locate()
	if err != nil {
		return err
	}
	params, err := at.Load(false)
	if err != nil {
		return err
	}
	layout := &layout{dir: at.Tokenizer(), template: m.template, model: params.Config}
	rows, err := openScoreRows(in, layout)
	if err != nil {
		return err
	}
	defer rows.Close()
	w, err := createOutput(out, overwrite)
	if err != nil {
		return err
	}
	s := &scorer{params: params, rows: rows}
	if err := s.run(ctx, w); err != nil {
		w.Close()
		return err
	}
	s.summarise(os.Stderr)
	return w.Close()
}

const blockTokens = 16 * score.MicroTokens // tokens of a block: read, then scored, then written

// scorer scores rows in blocks.
type scorer struct {
	params *model.Params
	rows   scoreRows
	leads  []float64 // score of the chosen response less that of the rejected one, for each pair
}

// scoreRows gives the rows of an input.
type scoreRows interface {
	next() (scoreRow, error) // io.EOF at the end
	place() string           // of the latest row, for errors
	Close() error
}

func (s *scorer) run(ctx context.Context, w io.Writer) error {
	for {
		block, err := s.read()
		if err != nil {
			return fmt.Errorf("%s: %w", s.rows.place(), err)
		}
		if len(block) == 0 {
			return nil
		}
		results, err := s.score(ctx, block)
		if err != nil {
			return fmt.Errorf("up to %s: %w", s.rows.place(), err)
		}
		if err := writeLines(w, results); err != nil {
			return err
		}
	}
}

// read returns the rows of the next block, or none at the end.
func (s *scorer) read() (block []scoreRow, err error) {
	for n := 0; n < blockTokens; {
		row, err := s.rows.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		block = append(block, row)
		for _, e := range row.examples {
			n += e.Tokens() + 1
		}
	}
	return block, nil
}

// score scores all examples of a block at once.
func (s *scorer) score(ctx context.Context, block []scoreRow) ([]any, error) {
	var examples []pack.Example
	for _, row := range block {
		examples = append(examples, row.examples...)
	}
	scores, err := s.scores(ctx, examples)
	if err != nil {
		return nil, err
	}
	results := make([]any, len(block))
	for i, row := range block {
		own := scores[:len(row.examples)]
		scores = scores[len(own):]
		if row.kind == pairRow {
			s.leads = append(s.leads, own[0].total()-own[1].total())
		}
		results[i] = row.result(own)
	}
	return results, nil
}

// scores returns the score of each example.
func (s *scorer) scores(ctx context.Context, examples []pack.Example) ([]textScore, error) {
	out := make([]textScore, len(examples))
	if s.params.Config.IsReward() {
		all, err := score.Rewards(ctx, s.params, examples, score.MicroTokens)
		for i, values := range all {
			reward := float32(values[0])
			out[i].Reward = &reward
		}
		return out, err
	}
	var some []pack.Example
	var index []int // of some in examples
	for i, e := range examples {
		out[i].logProbs([]float32{})
		if e.Targets() > 0 { // else there is nothing to predict
			some, index = append(some, e), append(index, i)
		}
	}
	all, err := score.LogProbs(ctx, s.params, some, score.MicroTokens)
	for k, i := range index {
		out[i].logProbs(all[k])
	}
	return out, err
}

// summarise prints how often the chosen response of a pair is ahead.
func (s *scorer) summarise(w io.Writer) {
	if len(s.leads) == 0 {
		return
	}
	var won float64
	for _, lead := range s.leads {
		won += stat.Win(lead)
	}
	fmt.Fprintf(w, "%d pairs: the chosen response has the higher score in %v\n", len(s.leads), stat.Proportion(won, len(s.leads)))
}

// writeLines writes a block of results as lines of JSON, in one write.
func writeLines(w io.Writer, results []any) error {
	buffered := bufio.NewWriter(w)
	enc := jsonLines(buffered)
	for _, r := range results {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
