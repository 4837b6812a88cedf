// Mutate plants errors into a package, one at a time, and reports which of them its tests do not
// notice. It flips comparisons and arithmetic, negates conditions, adds one to integers, drops
// statements and swaps arguments, then runs the package's own tests. It changes no file: the go
// command reads the changed source as an overlay.
//
//	go run ./scripts/mutate [-sample N] [-seed S] [-limit D] ./dpo ./reward
//
// A survivor is either a hole in the tests or a change that makes no difference; a person decides.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	sample := flag.Int("sample", 60, "mutants per `package`, drawn at random; 0 runs all")
	seed := flag.Uint64("seed", 1, "seed of the sample")
	limit := flag.Duration("limit", 90*time.Second, "time for the tests of one mutant; a mutant that exceeds it is killed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, dir := range flag.Args() {
		if err := mutate(ctx, dir, *sample, *seed, *limit); err != nil {
			fmt.Fprintln(os.Stderr, "mutate:", err)
			os.Exit(1)
		}
	}
}

// mutate runs a sample of the mutants of one package and prints the survivors and the share killed.
func mutate(ctx context.Context, dir string, sample int, seed uint64, limit time.Duration) error {
	mutants, err := find(dir)
	if err != nil {
		return err
	}
	if r, err := try(ctx, dir, nil, limit); err != nil || r != survived {
		return fmt.Errorf("%s: its own tests fail or exceed %v without a mutant (%v)", dir, limit, err)
	}
	all := len(mutants)
	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(all, func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
	if sample > 0 {
		mutants = mutants[:min(sample, all)]
	}
	counts := map[result]int{}
	for _, m := range mutants {
		r, err := try(ctx, dir, &m, limit)
		if err != nil {
			return err
		}
		if counts[r]++; r == survived {
			fmt.Printf("survived  %s\n", m)
		}
	}
	judged := counts[killed] + counts[survived]
	fmt.Printf("%s: killed %d of %d (%.0f%%); %d of %d mutants tried, %d did not compile\n",
		dir, counts[killed], judged, 100*float64(counts[killed])/float64(max(judged, 1)), len(mutants), all, counts[invalid])
	return nil
}

// sources lists the files of a package that are not tests.
func sources(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	return slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") }), err
}
