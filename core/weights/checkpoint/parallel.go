package checkpoint

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

// inPieces calls f on ranges [lo, hi) of at most piece elements that cover [0, n), on all
// processors. After an error it begins no further ranges.
func inPieces(n, piece int, f func(lo, hi int) error) error {
	pieces := (n + piece - 1) / piece
	var next atomic.Int64
	work := func() error {
		for {
			lo := int(next.Add(1)-1) * piece
			if lo >= n {
				return nil
			}
			if err := f(lo, min(n, lo+piece)); err != nil {
				next.Store(int64(pieces))
				return err
			}
		}
	}
	threads := min(pieces, runtime.GOMAXPROCS(0))
	if threads < 2 {
		return work()
	}
	errs := make([]error, threads)
	var all sync.WaitGroup
	for i := range threads {
		all.Go(func() { errs[i] = work() })
	}
	all.Wait()
	return errors.Join(errs...)
}
