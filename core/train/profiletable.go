package train

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
)

// profileTable is a profile for people to read.
type profileTable struct {
	stage              string
	first, last, steps int // steps of the session, and of the run
	tokens             int64
	settings           string // of the kernels, and the memory that the run took
	rows               []graph.Cost
	total              time.Duration
	roof               roof
}

func (l *loop) table(top roof) profileTable {
	settings := fmt.Sprintf("%s, %s, %d threads; activations %s; planned %s", l.Params.Precision, kernel.CPU(), kernel.Threads(),
		memory.Bytes(l.memory.Activations), memory.Bytes(l.memory.Planned))
	if peak, known := memory.Peak(); known {
		settings += fmt.Sprintf(", at most %s in memory", memory.Bytes(peak))
	}
	return profileTable{
		stage: l.Manifest.Stage, first: l.beganStep + 1, last: l.step, steps: l.steps, tokens: l.tokens - l.beganTokens,
		settings: settings, rows: l.rows(), total: l.watch.total(), roof: top,
	}
}

// write writes a heading, the table and a legend.
func (t profileTable) write(w io.Writer) error {
	total := graph.Cost{Name: "total", Time: t.total}
	width := len(total.Name)
	for _, c := range t.rows {
		total.Flops, total.Bytes = total.Flops+c.Flops, total.Bytes+c.Bytes
		width = max(width, len(c.Name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, steps %d to %d of %d: %.2f s, %.0f tokens/s, %.1f GFLOP/s (%.0f%% of peak)\n%s\n\n",
		t.stage, t.first, t.last, t.steps, t.total.Seconds(), float64(t.tokens)/t.total.Seconds(),
		total.Flops/t.total.Seconds()/1e9, percent(total.Flops/t.total.Seconds(), t.roof.flops), t.settings)
	line := func(name string, cells ...any) {
		fmt.Fprintf(&b, "%-*s %10s %7s %10s %9s %8s %10s %8s %10s\n", append([]any{width, name}, cells...)...)
	}
	line("", "seconds", "share", "ms/step", "GFLOP/s", "of peak", "MB/step", "GB/s", "of memory")
	for _, c := range append(t.rows, total) {
		line(c.Name, t.cells(c)...)
	}
	fmt.Fprintf(&b, legend, t.roof.flops/1e9, t.roof.bytes/1e9)
	_, err := io.WriteString(w, b.String())
	return err
}

// cells formats the costs of a row, and "-" for those that do not apply.
func (t profileTable) cells(c graph.Cost) []any {
	seconds, steps := c.Time.Seconds(), float64(t.last-t.first+1)
	cells := []any{
		fmt.Sprintf("%.3f", seconds), fmt.Sprintf("%.1f%%", percent(seconds, t.total.Seconds())), fmt.Sprintf("%.3f", 1e3*seconds/steps),
		"-", "-", "-", "-", "-",
	}
	if c.Flops > 0 {
		cells[3], cells[4] = fmt.Sprintf("%.1f", c.Flops/seconds/1e9), fmt.Sprintf("%.0f%%", percent(c.Flops/seconds, t.roof.flops))
	}
	if c.Bytes > 0 {
		cells[5], cells[6] = fmt.Sprintf("%.1f", c.Bytes/steps/1e6), fmt.Sprintf("%.1f", c.Bytes/seconds/1e9)
		cells[7] = fmt.Sprintf("%.0f%%", percent(c.Bytes/seconds, t.roof.bytes))
	}
	return cells
}

func percent(x, of float64) float64 { return 100 * x / of }

// legend explains the table. Its arguments are the peak in GFLOP/s and the bandwidth in GB/s.
const legend = `
A row is one kind of operation, of all layers together; .grad is its gradient.

GFLOP/s    of matrix products alone, a multiply-add counting two. Attention counts
           the keys that a token may see; what is computed again counts again.
of peak    of the %.0f GFLOP/s that products of this precision reached before the
           first step, on all threads, with matrices that fit the caches.
MB/step    what must at least be read and written: each array of the row once.
of memory  of the %.1f GB/s that adding up two large arrays reached. What is near
           100%% waits for memory; what is above it came from the caches.
batches    packing the rows of a step; optimiser: norm of the gradient and AdamW;
           other: the loss, and what else runs the graph.
`
