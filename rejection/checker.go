package rejection

import (
	"context"
	"runtime"

	"github.com/sourcegraph/conc/pool"

	"github.com/herd-lm/herd/data/check"
	"github.com/herd-lm/herd/data/table"
)

// checker scores candidates by a checker of answers: 0 to 1.
type checker struct {
	check.Checker
	kind string
}

func newChecker(s check.Settings) (*checker, error) {
	c, err := check.New(s)
	return &checker{c, s.Kind}, err
}

// admits implements scorer: a prompt without the reference that the checker needs is
// an error before anything is drawn. A command is not run for that.
func (c *checker) admits(p prompt) error {
	if c.kind == check.Command {
		return nil
	}
	_, err := c.Check(context.Background(), question(p.row(nil)), "")
	return err
}

// score implements scorer: as many responses at once as there are processors.
func (c *checker) score(ctx context.Context, rows []table.Sample) error {
	calls := pool.New().WithMaxGoroutines(runtime.GOMAXPROCS(0)).WithContext(ctx).WithCancelOnError().WithFirstError()
	for _, row := range rows {
		q := question(row)
		for k := range row.Candidates {
			calls.Go(func(ctx context.Context) error { return c.judge(ctx, q, &row.Candidates[k]) })
		}
	}
	return calls.Wait()
}

func (c *checker) judge(ctx context.Context, q check.Question, to *table.Candidate) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	said, err := c.Check(ctx, q, to.Text)
	if err != nil {
		return err
	}
	to.Correct, to.Score, to.Note = &said.Correct, &said.Score, said.Note
	return nil
}

func question(row table.Sample) check.Question {
	return check.Question{ID: row.Parents[0], Prompt: row.Prompt, Meta: row.Meta, Reference: row.Reference}
}
