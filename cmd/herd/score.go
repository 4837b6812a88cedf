package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
)

func newScoreCmd() *cobra.Command {
	var m modelFlags
	var in, out string
	var overwrite bool
	cmd := &cobra.Command{
		Use:   "score --model DIR --in FILE.jsonl",
		Short: "Compute log-probabilities of texts, or rewards",
		Long: `Compute the log-probability of every token after the first, in nats, for each
line {"tokens": [...]} or {"text": "..."}. herd puts the beginning-of-text token
before a text, if the model uses one. A reward model gives the reward after the last
token.`,
		Example: "  herd score --model base --in texts.jsonl --out scores.jsonl",
		Args:    operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return scoreFile(ctx, m, in, out, overwrite)
		},
	}
	flags := cmd.Flags()
	m.add(cmd)
	flags.StringVar(&in, "in", "", "`FILE` of JSON lines to score; -: standard input")
	flags.StringVar(&out, "out", "-", "`FILE` to write to; -: standard output")
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
	r, err := openInput(in)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := createOutput(out, overwrite)
	if err != nil {
		return err
	}
	if err := newScorer(at.Tokenizer(), params, inputName(in), r).run(ctx, w); err != nil {
		w.Close()
		return err
	}
	return w.Close()
}

const (
	maxScoreLine = 64 << 20               // bytes
	blockTokens  = 16 * score.MicroTokens // tokens of a block: read, then scored, then written
)

// scorer scores lines in blocks.
type scorer struct {
	dir    string // directory of the tokenizer
	params *model.Params
	tok    *tokenizer.Tokenizer // nil until a line has a text
	name   string               // name of the input, for errors
	lines  *bufio.Scanner
	line   int
}

func newScorer(dir string, params *model.Params, name string, r io.Reader) *scorer {
	s := &scorer{dir: dir, params: params, name: name, lines: bufio.NewScanner(r)}
	s.lines.Buffer(nil, maxScoreLine)
	return s
}

func (s *scorer) run(ctx context.Context, w io.Writer) error {
	for {
		block, err := s.read()
		if err != nil {
			return fmt.Errorf("%s line %d: %w", s.name, s.line, err)
		}
		if len(block) == 0 {
			return nil
		}
		results, err := s.score(ctx, block)
		if err != nil {
			return fmt.Errorf("%s up to line %d: %w", s.name, s.line, err)
		}
		if err := writeLines(w, results); err != nil {
			return err
		}
	}
}

// read returns the tokens of each line of the next block, or none at the end.
func (s *scorer) read() (block [][]token.ID, err error) {
	for n := 0; n < blockTokens && s.lines.Scan(); {
		s.line++
		ids, err := s.parse(s.lines.Bytes())
		if err != nil {
			return nil, err
		}
		block, n = append(block, ids), n+len(ids)+1
	}
	return block, s.lines.Err()
}

// parse returns the tokens of a line, after checking that the model accepts them.
func (s *scorer) parse(text []byte) ([]token.ID, error) {
	var line struct {
		Tokens []token.ID `json:"tokens"`
		Text   *string    `json:"text"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		return nil, err
	}
	if (line.Tokens == nil) == (line.Text == nil) {
		return nil, fmt.Errorf(`expected {"tokens": [...]} or {"text": "..."}`)
	}
	if line.Text != nil {
		if err := s.needTokenizer(); err != nil {
			return nil, err
		}
		line.Tokens = s.tok.Prompt(*line.Text)
	}
	return line.Tokens, s.check(line.Tokens)
}

func (s *scorer) needTokenizer() (err error) {
	if s.tok == nil {
		s.tok, err = tokenizer.Load(s.dir)
	}
	return err
}

func (s *scorer) check(ids []token.ID) error {
	c := s.params.Config
	if most := c.Context(); len(ids) > most {
		return fmt.Errorf("%d tokens, but the model has %d positions: shorten the text or split it", len(ids), most)
	}
	if c.IsReward() && len(ids) == 0 {
		return fmt.Errorf("the line has no tokens: a reward model needs at least one")
	}
	for i, id := range ids {
		if id < 0 || int(id) >= c.VocabSize {
			return fmt.Errorf("token %d has id %d, outside the model's vocabulary of %d", i+1, id, c.VocabSize)
		}
	}
	return nil
}

// The results, one for each line.
type (
	logProbsJSON struct {
		LogProbs []float32 `json:"logprobs"` // one for every token after the first, in nats
		Sum      float64   `json:"sum"`
	}
	rewardJSON struct {
		Reward float32 `json:"reward"`
	}
)

func (s *scorer) score(ctx context.Context, block [][]token.ID) ([]any, error) {
	if s.params.Config.IsReward() {
		return s.rewards(ctx, block)
	}
	return s.logProbs(ctx, block)
}

func (s *scorer) logProbs(ctx context.Context, block [][]token.ID) ([]any, error) {
	results := make([]any, len(block))
	var examples []pack.Example
	var lines []int // line of each example
	for i, ids := range block {
		results[i] = logProbsJSON{LogProbs: []float32{}}
		if len(ids) > 1 { // else there is nothing to predict
			examples, lines = append(examples, pack.Text("", ids)), append(lines, i)
		}
	}
	all, err := score.LogProbs(ctx, s.params, examples, score.MicroTokens)
	for k, i := range lines {
		results[i] = logProbsJSON{all[k], sum(all[k])}
	}
	return results, err
}

func (s *scorer) rewards(ctx context.Context, block [][]token.ID) ([]any, error) {
	examples := make([]pack.Example, len(block))
	for i, ids := range block {
		examples[i] = pack.Example{Prompt: pack.Run{IDs: ids, Value: true}}
	}
	all, err := score.Rewards(ctx, s.params, examples, score.MicroTokens)
	if err != nil {
		return nil, err
	}
	results := make([]any, len(block))
	for i, values := range all {
		results[i] = rewardJSON{float32(values[0])}
	}
	return results, nil
}

func sum(x []float32) (total float64) {
	for _, v := range x {
		total += float64(v)
	}
	return total
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
