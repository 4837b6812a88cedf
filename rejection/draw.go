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

// window is how many prompts are laid out for the engine at once.
const window = 4096

// seedOf returns the seed of the k-th response to a prompt: it depends on nothing
// but the stage's seed, the prompt and that number.
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

// batch gathers rows until there is enough for a part.
type batch struct {
	rows    []answered
	samples int
	began   time.Time // when the part before was written
}

func (b *batch) add(prompt int, row table.Sample) {
	b.rows = append(b.rows, answered{prompt, row})
	b.samples += len(row.Candidates)
}

// take empties the batch. Its rows come in the order of the prompts, in which they
// are read.
func (b *batch) take() []answered {
	rows := b.rows
	slices.SortStableFunc(rows, func(x, y answered) int { return cmp.Compare(x.prompt, y.prompt) })
	*b = batch{began: time.Now()}
	return rows
}

// rescore scores the responses that are there without a score, or with that of
// another scorer.
func (r *session) rescore(ctx context.Context) error {
	from := reader{parts: r.store.parts}
	defer from.close()
	for i, p := range r.prompts {
		var old []table.Candidate
		for _, at := range r.shelf[i] {
			if at == nil || at.scored {
				continue
			}
			c, err := from.candidate(*at)
			if err != nil {
				return err
			}
			old = append(old, c)
		}
		if old == nil {
			continue
		}
		r.batch.add(i, p.row(old))
		if r.full() {
			if err := r.scoreAndStore(ctx, r.batch.take()); err != nil {
				return err
			}
		}
	}
	return r.scoreAndStore(ctx, r.batch.take())
}

// draw draws and scores the responses that are missing.
func (r *session) draw(ctx context.Context) error {
	var todo []int
	for i := range r.prompts {
		if slices.Contains(r.shelf[i], nil) {
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
		for k, at := range r.shelf[i] {
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
	// What was drawn before an error is kept too.
	return errors.Join(err, r.keep(ctx))
}

func (r *session) full() bool {
	return r.batch.samples >= r.PartSamples || time.Since(r.batch.began) >= r.PartEvery
}

// keep scores and stores the batch, and stores it without scores if it cannot be
// scored.
func (r *session) keep(ctx context.Context) error {
	rows := r.batch.take()
	err := r.scoreAndStore(ctx, rows)
	if err == nil {
		return nil
	}
	_, lost := r.store.write(plain(rows), false)
	return errors.Join(err, lost)
}

// scoreAndStore scores rows and stores them with their scores.
func (r *session) scoreAndStore(ctx context.Context, rows []answered) error {
	if len(rows) == 0 {
		return nil
	}
	samples := plain(rows)
	if err := score(ctx, r.judge, samples); err != nil {
		return err
	}
	part, err := r.store.write(samples, true)
	if err != nil {
		return err
	}
	for n, row := range rows {
		for at, c := range row.Candidates {
			r.shelf[row.prompt][c.K] = &place{int32(part), int32(n), int32(at), true}
			r.tally.count(row.prompt, c)
		}
	}
	r.tell()
	return nil
}

func plain(rows []answered) []table.Sample {
	list := make([]table.Sample, len(rows))
	for i, row := range rows {
		list[i] = row.Sample
	}
	return list
}
