package kernel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// spinFor is how long an idle worker looks for work before it parks. Waking a
// parked goroutine costs about 100 µs, more than many kernels take.
const spinFor = 100 * time.Microsecond

// pool is the fork-join pool of the process: kernels of one caller at a time
// share it. Its size is the only setting that kernels have.
var pool workers

type workers struct {
	limit   atomic.Int64 // threads that SetThreads asked for; 0 means GOMAXPROCS
	busy    sync.Mutex   // held by the goroutine whose job is current
	team    []*worker    // all that were ever started; guarded by busy
	current atomic.Pointer[job]
}

type worker struct {
	index  int
	parked atomic.Bool
	wake   chan struct{}
}

// job is one call of Parallel. Each call has its own, so that a worker that
// comes late finds the old job exhausted and cannot disturb the next.
type job struct {
	f       func(int)
	n       int64
	helpers int // only workers with a smaller index take part
	next    atomic.Int64
	done    atomic.Int64
	failure atomic.Pointer[Panic]
}

// Panic is what Parallel panics with when f panicked on one of its threads.
type Panic struct {
	Value any    // what f panicked with
	Stack []byte // of the thread on which it did
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Unwrap returns the value that f panicked with, if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// SetThreads sets how many threads a kernel may use; n < 1 means GOMAXPROCS. It
// takes effect with the next kernel and changes no result.
func SetThreads(n int) { pool.limit.Store(int64(max(n, 0))) }

// Threads returns how many threads a kernel may use.
func Threads() int {
	if n := pool.limit.Load(); n > 0 {
		return int(n)
	}
	return runtime.GOMAXPROCS(0)
}

// Parallel calls f(0) ... f(n-1), in any order and on up to Threads threads, and
// returns when all have returned. A call from within f, or while another
// goroutine's call is running, does its work on its own thread. If f panics,
// calls not yet started are dropped and Parallel panics, with a *Panic if
// threads were forked.
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
	j.f = nil // the pool remembers its last job, not what that worked on
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

// await returns the current job once it is another than last.
func (w *worker) await(p *workers, last *job) *job {
	start := time.Now()
	for spins := 1; ; spins++ {
		if j := p.current.Load(); j != last {
			return j
		}
		if spins%256 != 0 {
			continue
		}
		runtime.Gosched() // with fewer processors than threads, whoever has work goes first
		if time.Since(start) > spinFor {
			w.park(p, last)
			start = time.Now()
		}
	}
}

// park sleeps until a job starts. A job that started between the last look and
// the flag may or may not have seen the flag: whoever takes it back decides.
func (w *worker) park(p *workers, last *job) {
	w.parked.Store(true)
	if p.current.Load() != last && w.parked.CompareAndSwap(true, false) {
		return
	}
	<-w.wake
}

// work runs items of j until none is left to claim.
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

// wait returns when every item has returned; those that the caller did not run
// itself are under way on other threads.
func (j *job) wait() {
	for spins := 1; j.done.Load() < j.n; spins++ {
		if spins%256 == 0 {
			runtime.Gosched()
		}
	}
}

// parallelRows calls f on runs [lo, hi) that cover [0, n), sized so that each is
// worth a fork; width is the number of elements that f touches in a row.
func parallelRows(n, width int, f func(lo, hi int)) {
	const worth = 1 << 14
	step := max(1, worth/max(width, 1))
	if n <= step {
		f(0, n)
		return
	}
	Parallel((n+step-1)/step, func(i int) { f(i*step, min(n, (i+1)*step)) })
}
