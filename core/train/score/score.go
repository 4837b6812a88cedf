// Package score evaluates a model on examples without training it: log-probabilities of texts
// and of responses, rewards and losses. The numbers come from the training graph's forward
// pass.
//
// Start with LogProbs, Sequences and Rewards.
package score

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// MicroTokens is the default number of tokens to compute at once.
const MicroTokens = 4096

// visit receives the result of one batch; members are the indices of its examples.
type visit func(members []int, b *token.Batch, r *model.Result) error

// forward runs the examples through the graph of a loss, in order, as many at once as fit into
// micro tokens. A longer example runs alone.
func forward(ctx context.Context, p *model.Params, examples []pack.Example, micro int, loss model.Loss, each visit) error {
	groups := group(examples, micro)
	var capacity token.Size
	for _, members := range groups {
		capacity = capacity.Max(batch(examples, members).Size())
	}
	program, err := model.CompileForward(p, capacity, loss)
	if err != nil {
		return fmt.Errorf("score: %w", err)
	}
	defer program.Close()
	for _, members := range groups {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := batch(examples, members)
		r, err := program.Run(b, 1, false)
		if err != nil {
			return fmt.Errorf("score: %w", err)
		}
		if err := each(members, b, r); err != nil {
			return err
		}
	}
	return nil
}

// group cuts the examples, in order, into batches of at most micro tokens.
func group(examples []pack.Example, micro int) [][]int {
	var groups [][]int
	room := 0
	for i, e := range examples {
		n := e.Tokens()
		if n > room || len(groups) == 0 {
			groups, room = append(groups, nil), micro
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], i)
		room -= n
	}
	return groups
}

func batch(examples []pack.Example, members []int) *token.Batch {
	list := make([]pack.Example, len(members))
	for i, m := range members {
		list[i] = examples[m]
	}
	return pack.Batch(list)
}

// hasHead returns an error if the model predicts no tokens.
func hasHead(p *model.Params) error {
	if p.Head == nil {
		return fmt.Errorf("score: the model is a reward model: it has no language-model head (lm_head.weight)")
	}
	return nil
}

// LogProbs returns the log-probability of every target of each example, in order:
// [len(examples)][Targets].
func LogProbs(ctx context.Context, p *model.Params, examples []pack.Example, micro int) ([][]float32, error) {
	if err := hasHead(p); err != nil {
		return nil, err
	}
	out := make([][]float32, len(examples))
	err := forward(ctx, p, examples, micro, model.LogProbs, func(members []int, b *token.Batch, r *model.Result) error {
		at := 0
		for _, m := range members {
			n := examples[m].Targets()
			out[m] = append([]float32(nil), r.LogProb[at:at+n]...)
			at += n
		}
		return nil
	})
	return out, err
}

// Sequences returns the log-probability of every sequence of each example, summed over its
// tokens with SeqWeight: [len(examples)][Sequences].
func Sequences(ctx context.Context, p *model.Params, examples []pack.Example, micro int) ([][]float64, error) {
	if err := hasHead(p); err != nil {
		return nil, err
	}
	return perSequence(ctx, p, examples, micro, model.SeqLogProbs, func(r *model.Result) []float32 { return r.SeqLogProb })
}

// Rewards returns the value head's output at the last token of every run with Value of each
// example: [len(examples)][Values].
func Rewards(ctx context.Context, p *model.Params, examples []pack.Example, micro int) ([][]float64, error) {
	if p.Score == nil {
		return nil, fmt.Errorf("score: the model is no reward model: it has no value head (score.weight)")
	}
	return perSequence(ctx, p, examples, micro, model.Values, func(r *model.Result) []float32 { return r.Value })
}

func perSequence(ctx context.Context, p *model.Params, examples []pack.Example, micro int, loss model.Loss, pick func(*model.Result) []float32) ([][]float64, error) {
	out := make([][]float64, len(examples))
	err := forward(ctx, p, examples, micro, loss, func(members []int, b *token.Batch, r *model.Result) error {
		x := pick(r)
		for _, m := range members {
			n := examples[m].Sequences()
			for _, v := range x[:n] {
				out[m] = append(out[m], float64(v))
			}
			x = x[n:]
		}
		return nil
	})
	return out, err
}

// CrossEntropy returns the sum of the examples' weighted negative
// log-likelihoods, in nats, and the sum of their weights.
func CrossEntropy(ctx context.Context, p *model.Params, examples []pack.Example, micro int) (nats, weight float64, err error) {
	if err := hasHead(p); err != nil {
		return 0, 0, err
	}
	err = forward(ctx, p, examples, micro, model.CrossEntropy, func(_ []int, b *token.Batch, r *model.Result) error {
		nats += r.Loss
		for _, w := range b.Weight {
			weight += float64(w)
		}
		return nil
	})
	return nats, weight, err
}
