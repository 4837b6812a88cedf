package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/herd-lm/herd/core/kernel"
)

// result is a line of what train, score and decode print.
type result struct {
	Mode string `json:"mode"`
	shape
	Precision kernel.Precision `json:"precision"`
	Threads   int              `json:"threads"`
	CPU       string           `json:"cpu"`

	Median float64 `json:"median"` // tokens/s of the median step
	Best   float64 `json:"best"`   // tokens/s of the fastest
	// GFLOPS is the rate of the fastest step, counted as torch_llama.py counts:
	// attention over the whole square. CausalGFLOPS counts only what must be
	// computed, which is half of it.
	GFLOPS       float64 `json:"gflops"`
	CausalGFLOPS float64 `json:"causal_gflops"`
	PeakBytes    int64   `json:"peak_bytes"`            // peak of resident memory (VmHWM); 0 if unknown
	ArenaBytes   int64   `json:"arena_bytes,omitempty"` // planned for activations
}

// trial is something to time.
type trial struct {
	settings
	mode    string
	tokens  int               // of one step
	passes  int               // over the weights: 1 forward, 3 with backward
	arena   int64             // bytes planned
	prepare func(i int) error // before step i, not timed; may be nil
	step    func(i int) error
}

// measuring returns the mode that parses settings, times the trial that start makes from
// them, and prints the result.
func measuring(start func(settings) (trial, error), steps int) func([]string, io.Reader, io.Writer) error {
	return func(args []string, _ io.Reader, out io.Writer) error {
		s, err := parse(args, steps)
		if err != nil {
			return err
		}
		if err := kernel.CPUError(); err != nil {
			return err
		}
		kernel.SetThreads(s.threads)
		t, err := start(s)
		if err != nil {
			return err
		}
		took, err := t.times()
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(t.result(took))
	}
}

// times returns the durations of the steps after the warm-up, the shortest first.
func (t trial) times() ([]time.Duration, error) {
	var took []time.Duration
	for i := range t.warmup + t.steps {
		if t.prepare != nil {
			if err := t.prepare(i); err != nil {
				return nil, err
			}
		}
		began := time.Now()
		if err := t.step(i); err != nil {
			return nil, err
		}
		if i >= t.warmup {
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	return took, nil
}

func (t trial) result(took []time.Duration) result {
	rate := func(d time.Duration) float64 { return float64(t.tokens) / d.Seconds() }
	best := rate(took[0])
	giga := func(attended float64) float64 { return tenths(best * float64(t.passes) * t.flop(attended) / 1e9) }
	return result{
		Mode: t.mode, shape: t.shape, Precision: t.precision, Threads: t.threads, CPU: kernel.CPU(),
		Median: tenths(rate(took[len(took)/2])), Best: tenths(best),
		GFLOPS: giga(float64(t.Seq)), CausalGFLOPS: giga(float64(t.Seq+1) / 2),
		PeakBytes: residentPeak(), ArenaBytes: t.arena,
	}
}

// tenths rounds to the precision of a measurement.
func tenths(x float64) float64 { return math.Round(10*x) / 10 }

// flop returns the floating-point operations of the products for one token in the forward
// pass: two for each weight except the norms' (the tied head counts, the embedding does
// not), and four for each of the d numbers of each attended position. The backward pass has
// twice as many.
func (s settings) flop(attended float64) float64 {
	norms := (2*s.Layers + 1) * s.D
	return 2*float64(s.config().ParamCount()-norms) + 4*float64(s.Layers*s.D)*attended
}

// residentPeak returns the peak of the process's resident memory in bytes.
func residentPeak() int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kB int64
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kB); err == nil {
			return kB << 10
		}
	}
	return 0
}
