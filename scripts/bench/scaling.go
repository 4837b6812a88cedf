package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/herd-lm/herd/core/kernel"
)

// scaling reads the output of peak, train and score and prints a table of the measurements.
// It compares each with the peak for its threads and precision, which must come earlier in
// the input.
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

// ceiling is the peak of the processor, in GFLOP/s.
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

// row formats a line of the table. A peak of 0 is unknown.
func (r result) row(peak float64) string {
	share := ""
	if peak > 0 {
		share = fmt.Sprintf("%.0f%%", 100*r.CausalGFLOPS/peak)
	}
	return fmt.Sprintf("| %s %v | %d | %d | %d | %dx%d | %d | %s | %s | %.0f | %s | %.2f |",
		r.Mode, r.Precision, r.D, r.Layers, r.Vocab, r.Batch, r.Seq, r.Threads,
		rate(r.Median), rate(r.Best), r.CausalGFLOPS, share, float64(r.PeakBytes)/1e9)
}
