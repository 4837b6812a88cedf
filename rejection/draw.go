package rejection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data/table"
)

// window is the number of prompts that the engine gets at once.
const window = 4096

// seedOf returns the seed of the k-th response to a prompt. It depends only on the stage's seed,
// the prompt and that number.
func seedOf(seed uint64, prompt string, k int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s/%d", seed, prompt, k)
	return h.Sum64()
}

// answered is a prompt's row with some of its responses.
type answered struct {
	prompt int
	table.Sample
}

// batch collects rows until there are enough for a part.
type batch struct {
	rows    []answered
	samples int
	began   time.Time // when the part before was written
}

func (b *batch) add(prompt int, row table.Sample) {
	b.rows = append(b.rows, answered{prompt, row})
	b.samples += len(row.Candidates)
}

// take empties the batch. It returns the rows in the order of the prompts, because finish reads
// them in that order.
func (b *batch) take() []answered {
	rows := b.rows
	slices.SortStableFunc(rows, func(x, y answered) int { return cmp.Compare(x.prompt, y.prompt) })
	*b = batch{began: time.Now()}
	return rows
}

// draw draws and scores the responses that are missing.
func (r *session) draw(ctx context.Context) error {
	var todo []int
	for i := range r.prompts {
		if slices.Contains(r.catalog[i], nil) {
			todo = append(todo, i)
		}
	}
	for some := range slices.Chunk(todo, window) {
		if err := r.drawSome(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func (r *session) drawSome(ctx context.Context, prompts []int) error {
	requests := make([]sample.Request, len(prompts))
	numbers := make([][]int, len(prompts))
	for n, i := range prompts {
		for k, at := range r.catalog[i] {
			if at == nil {
				numbers[n] = append(numbers[n], k)
			}
		}
		var err error
		if requests[n], err = request(r.policy, r.prompts[i], r.Settings, numbers[n]); err != nil {
			return err
		}
	}
	err := r.policy.Sampler().Generate(ctx, requests, func(n int, drawn []sample.Completion) error {
		r.summary.Drawn += len(drawn)
		r.batch.add(prompts[n], r.prompts[prompts[n]].row(candidates(drawn, numbers[n])))
		if !r.full() {
			return nil
		}
		return r.keep(ctx)
	})
	// Keep the samples drawn before an error too.
	return errors.Join(err, r.keep(ctx))
}

func (r *session) full() bool {
	return r.batch.samples >= r.PartSamples || time.Since(r.batch.began) >= r.PartEvery
}
