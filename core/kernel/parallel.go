package kernel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// spinFor is how long an idle worker spins before it parks. Waking a parked goroutine costs
// about 100 µs, more than many kernels take.
const spinFor = 100 * time.Microsecond

// pool is the fork-join pool of the process. The kernels of one caller at a time use it. Its
// size is the only setting of kernels.
var pool workers

type workers struct {
	limit   atomic.Int64 // set by SetThreads; 0 means GOMAXPROCS
	busy    sync.Mutex   // held by the goroutine whose job is running
	team    []*worker    // all workers ever started; guarded by busy
	current atomic.Pointer[job]
}

type worker struct {
	index  int
	parked atomic.Bool
	wake   chan struct{}
}

// job is one call of Parallel. Each call has its own, so that a late worker finds the old job
// exhausted and cannot disturb the next.
type job struct {
	f       func(int)
	n       int64
	helpers int // only workers with a smaller index take part
	next    atomic.Int64
	done    atomic.Int64
	failure atomic.Pointer[Panic]
}

// Panic is the value with which Parallel panics if f panicked on one of its threads.
type Panic struct {
	Value any    // the value with which f panicked
	Stack []byte // of that thread
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Unwrap returns the value with which f panicked, if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// SetThreads sets how many threads a kernel may use; n < 1 means GOMAXPROCS. It takes effect
// with the next kernel and does not change results.
func SetThreads(n int) { pool.limit.Store(int64(max(n, 0))) }

// Threads returns how many threads a kernel may use.
func Threads() int {
	if n := pool.limit.Load(); n > 0 {
		return int(n)
	}
	return runtime.GOMAXPROCS(0)
}

// Parallel calls f(0) ... f(n-1), in any order and on up to Threads threads, and returns when
// all have returned. A call from within f, or during a call of another goroutine, runs on its
// own thread. If f panics, Parallel drops the calls that have not started and panics, with a
// *Panic if it forked threads.
func Parallel(n int, f func(i int)) {
	threads := min(Threads(), n)
	if threads < 2 || !pool.busy.TryLock() {
		for i := range n {
			f(i)
		}
		return
	}
	defer pool.busy.Unlock()
	j := &job{f: f, n: int64(n), helpers: threads - 1}
	pool.start(j)
	j.work()
	j.wait()
	j.f = nil // the pool remembers its last job, but must not keep the job's data alive
	if p := j.failure.Load(); p != nil {
		panic(p)
	}
}

func (p *workers) start(j *job) {
	for i := len(p.team); i < j.helpers; i++ {
		w := &worker{index: i, wake: make(chan struct{}, 1)}
		p.team = append(p.team, w)
		go w.loop(p)
	}
	p.current.Store(j)
	for _, w := range p.team[:j.helpers] {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
}

func (w *worker) loop(p *workers) {
	var last *job
	for {
		last = w.await(p, last)
		if w.index < last.helpers {
			last.work()
		}
	}
}

// await returns the current job as soon as it is not last.
func (w *worker) await(p *workers, last *job) *job {
	start := time.Now()
	for spins := 1; ; spins++ {
		if j := p.current.Load(); j != last {
			return j
		}
		if spins%256 != 0 {
			continue
		}
		runtime.Gosched() // with fewer processors than threads, let others run first
		if time.Since(start) > spinFor {
			w.park(p, last)
			start = time.Now()
		}
	}
}

// park sleeps until a job starts. A job that started between the last check and setting the
// flag may or may not have seen the flag. Whichever side clears it decides.
func (w *worker) park(p *workers, last *job) {
	w.parked.Store(true)
	if p.current.Load() != last && w.parked.CompareAndSwap(true, false) {
		return
	}
	<-w.wake
}

// work runs items of j until all are claimed.
func (j *job) work() {
	for {
		i := j.next.Add(1) - 1
		if i >= j.n {
			return
		}
		j.item(int(i))
	}
}

func (j *job) item(i int) {
	defer j.finish()
	if j.failure.Load() == nil {
		j.f(i)
	}
}

func (j *job) finish() {
	if v := recover(); v != nil {
		j.failure.CompareAndSwap(nil, &Panic{v, debug.Stack()})
	}
	j.done.Add(1)
}

// wait returns when every item has returned. Items that the caller did not run are still
// running on other threads.
func (j *job) wait() {
	for spins := 1; j.done.Load() < j.n; spins++ {
		if spins%256 == 0 {
			runtime.Gosched()
		}
	}
}

// parallelRows calls f on runs [lo, hi) that cover [0, n), each large enough to justify a
// fork. width is the number of elements that f touches in a row.
func parallelRows(n, width int, f func(lo, hi int)) {
	const worth = 1 << 14
	step := max(1, worth/max(width, 1))
	if n <= step {
		f(0, n)
		return
	}
	Parallel((n+step-1)/step, func(i int) { f(i*step, min(n, (i+1)*step)) })
}
