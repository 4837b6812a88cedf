package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/herd-lm/herd/core/kernel"
)

// scaling reads what peak, train and score print, and prints a table of the
// measurements, each against the peak of as many threads and its precision,
// which must come before it.
func scaling(_ []string, in io.Reader, out io.Writer) error {
	fmt.Fprintln(out, "| work | d | layers | vocabulary | sequences | threads | tokens/s | best | GFLOP/s | of peak | memory, GB |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|")
	peaks := make(map[int]ceiling)
	for lines := json.NewDecoder(in); ; {
		var line struct {
			result
			ceiling
		}
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Mode == "peak":
			peaks[line.Threads] = line.ceiling
		default:
			fmt.Fprintln(out, line.result.row(peaks[line.Threads].of(line.Precision)))
		}
	}
}

// ceiling is what the processor can do at most, in GFLOP/s.
type ceiling struct {
	FP32 float64 `json:"fp32"`
	BF16 float64 `json:"bf16"`
}

func (c ceiling) of(p kernel.Precision) float64 {
	if p == kernel.BF16 {
		return c.BF16
	}
	return c.FP32
}

// row is a line of the table; a peak of 0 is not known.
func (r result) row(peak float64) string {
	share := ""
	if peak > 0 {
		share = fmt.Sprintf("%.0f%%", 100*r.CausalGFLOPS/peak)
	}
	return fmt.Sprintf("| %s %v | %d | %d | %d | %dx%d | %d | %s | %s | %.0f | %s | %.2f |",
		r.Mode, r.Precision, r.D, r.Layers, r.Vocab, r.Batch, r.Seq, r.Threads,
		rate(r.Median), rate(r.Best), r.CausalGFLOPS, share, float64(r.PeakBytes)/1e9)
}
