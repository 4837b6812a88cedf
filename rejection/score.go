package rejection

import (
	"context"
	"errors"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge"
)

// score sets the judge's verdicts on all candidates of the rows. It replaces the verdicts of
// another judge, and changes nothing if it returns an error.
func score(ctx context.Context, j judge.Judge, rows []table.Sample) error {
	items := make([]judge.Item, len(rows))
	for i, row := range rows {
		items[i] = judge.Sample(row)
	}
	verdicts, err := j.Verdicts(ctx, items)
	if err != nil {
		return err
	}
	for i, row := range rows {
		for k := range row.Candidates {
			c, v := &row.Candidates[k], verdicts[i][k]
			c.Score, c.Reward, c.Correct, c.Note = &v.Score, v.Reward, v.Correct.Bool(), v.Note
		}
	}
	return nil
}

// rescore scores stored responses that have no score or another judge's score.
func (r *session) rescore(ctx context.Context) error {
	from := reader{parts: r.store.parts}
	defer from.close()
	for i, p := range r.prompts {
		var old []table.Candidate
		for _, at := range r.catalog[i] {
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

// keep scores and stores the batch. It stores the batch without scores if scoring fails.
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
			r.catalog[row.prompt][c.K] = &location{int32(part), int32(n), int32(at), true}
			r.tally.count(row.prompt, c)
		}
	}
	r.reportProgress()
	return nil
}

func plain(rows []answered) []table.Sample {
	list := make([]table.Sample, len(rows))
	for i, row := range rows {
		list[i] = row.Sample
	}
	return list
}
