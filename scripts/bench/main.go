// Command bench measures how fast herd trains, scores, decodes and samples, on models of
// a given shape with random weights and random tokens:
//
//	go run ./scripts/bench train -preset 15m4k
//	go run ./scripts/bench score -preset 135m
//	go run ./scripts/bench decode -preset 135m -precision bf16
//	go run ./scripts/bench sample -preset 135m -batch 16 -prompt 256
//	go run ./scripts/bench peak
//
// The first four print one line of JSON for each measurement. The last prints the peak of
// the processor. The scripts beside it run herd and its peers in turn, collect their
// numbers, and format them as Markdown with
//
//	go run ./scripts/bench compare < PAIRS      (bench-peers.sh)
//	go run ./scripts/bench scaling < LINES      (bench-scaling.sh)
package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// modes are the possible first arguments. Each function gets the other arguments.
var modes = map[string]func(args []string, in io.Reader, out io.Writer) error{
	"train":   measuring(train, 12),
	"score":   measuring(score, 12),
	"decode":  measuring(decode, 5),
	"sample":  measuring(draw, 5),
	"peak":    printPeak,
	"compare": compare,
	"scaling": scaling,
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 {
		if mode, ok := modes[args[0]]; ok {
			return mode(args[1:], in, out)
		}
	}
	return fmt.Errorf("want one of %v as the first argument", slices.Sorted(maps.Keys(modes)))
}
