package rejection

import (
	"context"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge"
)

// score sets what a judge says of all candidates of the rows. It replaces all that another
// judge said, and changes nothing if it returns an error.
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
