package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/herd-lm/herd/core/kernel"
)

// printPeak prints the peak of the processor: a line of JSON with the GFLOP/s of all threads
// together, in each precision.
func printPeak(args []string, _ io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("peak", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says what is wrong
	threads := flags.Int("threads", 2, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *threads < 1 {
		return fmt.Errorf("threads is %d, expected a positive number", *threads)
	}
	return json.NewEncoder(out).Encode(struct {
		Mode    string `json:"mode"`
		CPU     string `json:"cpu"`
		Threads int    `json:"threads"`
		ceiling
	}{"peak", kernel.CPU(), *threads, ceiling{peak(kernel.FP32, *threads), peak(kernel.BF16, *threads)}})
}

// loop does as many operations on registers as the processor can do at once.
type loop struct {
	run  func(n int)
	flop float64 // of one turn
}

// peak measures the highest GFLOP/s of all threads together with the instructions that
// kernels use. It returns 0 where it has no loop for them.
func peak(p kernel.Precision, threads int) float64 {
	l, ok := loops[kernel.CPU()+" "+p.String()]
	if !ok || p == kernel.BF16 && !hasBF16() {
		return 0
	}
	const turns, repeats = 1 << 18, 200
	kernel.SetThreads(threads)
	least := time.Duration(1<<63 - 1)
	for range repeats {
		began := time.Now()
		kernel.Parallel(threads, func(int) { l.run(turns) })
		least = min(least, time.Since(began))
	}
	return tenths(float64(threads) * turns * l.flop / least.Seconds() / 1e9)
}

// hasBF16 reports whether the processor multiplies bfloat16.
func hasBF16() bool {
	info, _ := os.ReadFile("/proc/cpuinfo")
	return strings.Contains(string(info), "avx512_bf16")
}
