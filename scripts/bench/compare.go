package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// comparison is a row of the table: the same work by herd and by a peer, in turn.
type comparison struct {
	name, work, peer string
	speed, memory    float64 // herd's goals as multiples of the peer's; 0: no goal
	herd, other      []measured
}

// measured is the result of one run.
type measured struct{ median, best, bytes float64 } // tokens/s, tokens/s, peak of resident memory

// compare reads pairs of runs, one per line, with fields separated by tabs:
//
//	name work peer speed memory median best bytes median best bytes
//
// where speed and memory are goals, and the two triples herd's and the peer's.
// It prints a table with a row for each name, in the order of their first pairs.
func compare(_ []string, in io.Reader, out io.Writer) error {
	rows, err := readPairs(in)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "| row | work | herd, tokens/s | peer, tokens/s | pairs | ratio of medians | median of ratios | ratio of bests | asked | herd, GB | peer, GB | ratio | asked |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		fmt.Fprintln(out, r)
	}
	return nil
}

func readPairs(in io.Reader) ([]*comparison, error) {
	var rows []*comparison
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 11 {
			return nil, fmt.Errorf("line %d of the pairs has %d fields, expected 11", n, len(fields))
		}
		numbers, err := parseNumbers(fields[3:])
		if err != nil {
			return nil, fmt.Errorf("line %d of the pairs: %w", n, err)
		}
		i := slices.IndexFunc(rows, func(r *comparison) bool { return r.name == fields[0] })
		if i < 0 {
			i = len(rows)
			rows = append(rows, &comparison{name: fields[0], work: fields[1], peer: fields[2], speed: numbers[0], memory: numbers[1]})
		}
		rows[i].herd = append(rows[i].herd, measured{numbers[2], numbers[3], numbers[4]})
		rows[i].other = append(rows[i].other, measured{numbers[5], numbers[6], numbers[7]})
	}
	return rows, lines.Err()
}

func parseNumbers(fields []string) ([]float64, error) {
	numbers := make([]float64, len(fields))
	for i, f := range fields {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, err
		}
		numbers[i] = n
	}
	return numbers, nil
}

func (c *comparison) String() string {
	median := func(runs []measured) float64 { return middle(runs, func(m measured) float64 { return m.median }) }
	best := func(runs []measured) float64 { return most(runs, func(m measured) float64 { return m.best }) }
	bytes := func(runs []measured) float64 { return most(runs, func(m measured) float64 { return m.bytes }) }
	var ratios []float64
	for i := range c.herd {
		ratios = append(ratios, c.herd[i].median/c.other[i].median)
	}
	faster := median(c.herd) / median(c.other)
	leaner := bytes(c.herd) / bytes(c.other)
	cells := []string{
		c.name, c.work,
		fmt.Sprintf("%s, best %s", rate(median(c.herd)), rate(best(c.herd))),
		fmt.Sprintf("%s: %s, best %s", c.peer, rate(median(c.other)), rate(best(c.other))),
		strconv.Itoa(len(ratios)),
		fmt.Sprintf("%.2f", faster),
		fmt.Sprintf("%.2f", middle(ratios, func(r float64) float64 { return r })),
		fmt.Sprintf("%.2f", best(c.herd)/best(c.other)),
		goal(c.speed, "≥ %g", faster >= c.speed),
		fmt.Sprintf("%.2f", bytes(c.herd)/1e9), fmt.Sprintf("%.2f", bytes(c.other)/1e9),
		fmt.Sprintf("%.2f", leaner),
		goal(c.memory, "≤ %g", leaner <= c.memory),
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// goal formats a goal, in bold if herd missed it.
func goal(want float64, format string, reached bool) string {
	switch {
	case want == 0:
		return ""
	case reached:
		return fmt.Sprintf(format, want)
	}
	return fmt.Sprintf("**missed: "+format+"**", want)
}

// rate formats tokens/s.
func rate(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// middle returns the median of f over the elements; of two middle values, the greater.
func middle[T any](list []T, f func(T) float64) float64 {
	values := make([]float64, len(list))
	for i, x := range list {
		values[i] = f(x)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// most returns the maximum of f over the elements.
func most[T any](list []T, f func(T) float64) float64 {
	greatest := f(list[0])
	for _, x := range list[1:] {
		greatest = max(greatest, f(x))
	}
	return greatest
}
