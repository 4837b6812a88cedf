package judge

import (
	"context"
	"runtime"

	"github.com/sourcegraph/conc/pool"
)

// Single judges one answer at a time, as rules do. It is safe for concurrent use.
type Single interface {
	Verdict(ctx context.Context, q Question, a Answer) (Verdict, error)
	Accepts(q Question) error
}

// Each returns a Judge that passes every answer to s, in parallel on all processors. It stops at
// the first error.
func Each(s Single) Judge { return each{s} }

type each struct{ Single }

// Verdicts implements Judge.
func (e each) Verdicts(ctx context.Context, items []Item) ([][]Verdict, error) {
	calls := pool.New().WithMaxGoroutines(runtime.GOMAXPROCS(0)).WithContext(ctx).WithCancelOnError().WithFirstError()
	all := make([][]Verdict, len(items))
	for i, item := range items {
		all[i] = make([]Verdict, len(item.Answers))
		for k, answer := range item.Answers {
			calls.Go(func(ctx context.Context) (err error) {
				if err := ctx.Err(); err != nil {
					return err
				}
				all[i][k], err = e.Verdict(ctx, item.Question, answer)
				return err
			})
		}
	}
	return all, calls.Wait()
}
