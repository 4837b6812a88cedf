package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/rejection"
)

// lineEvery is the minimum time between two lines of progress in a file or pipe.
const lineEvery = 5 * time.Second

// display shows the progress of a run: on a terminal in one line that it redraws, elsewhere in a
// line every few seconds, or every event as a line of JSON.
type display struct {
	w     io.Writer
	json  *json.Encoder // nil unless the output is JSON
	width func() int    // width of the terminal in columns; nil if there is none
	began time.Time
	last  time.Time // time of the latest line
	drawn bool      // whether the cursor is at the end of a line to redraw
}

func newDisplay(w io.Writer, asJSON bool) *display {
	d := &display{w: w, began: time.Now()}
	switch {
	case asJSON:
		d.json = jsonLines(w)
	case isTerminal(w):
		d.width = func() int { return terminalWidth(w) }
	}
	return d
}

// planned shows the plan of a training loop: its steps, parameters and memory.
func (d *display) planned(p train.Plan) {
	if d.json != nil {
		d.json.Encode(p)
		return
	}
	d.rows(p)
	parameters := short(float64(p.Parameters)) + " parameters"
	if p.Trained > 0 {
		parameters += fmt.Sprintf(", frozen, and %s of an adapter", short(float64(p.Trained)))
	}
	d.line(fmt.Sprintf("%s  %d steps  %s  %s of memory, %s of it activations",
		p.Stage, p.Steps, parameters, memory.Bytes(p.Memory.Planned), memory.Bytes(p.Memory.Activations)))
}

// rows shows what became of the rows of a stage's tables, unless all are used as they are. It
// warns if many are lost.
func (d *display) rows(p train.Plan) {
	switch {
	case p.Rows.Heavy():
		d.line(fmt.Sprintf("%s  warning: %v", p.Stage, p.Rows))
	case p.Rows.Notable():
		d.line(fmt.Sprintf("%s  %v", p.Stage, p.Rows))
	}
}

// training shows a step of a training loop.
func (d *display) training(p train.Progress) {
	line := fmt.Sprintf("%s  step %d/%d  loss %.4f  lr %.2e  %s tokens/s  %s left",
		p.Stage, p.Step, p.Steps, p.Loss, p.LR, short(p.TokensPerS), rough(p.Remaining))
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		line += fmt.Sprintf("  %s %.3g", name, p.Metrics[name])
	}
	d.show(p, line, p.Step == 1 || p.Step == p.Steps)
}

// samplingJSON is rejection.Progress as JSON.
type samplingJSON struct {
	Prompts     int           `json:"prompts"`
	All         int           `json:"all"`
	Samples     int           `json:"samples"`
	MeanScore   float64       `json:"mean_score"`
	PickedScore float64       `json:"picked_score"`
	SamplesPerS float64       `json:"samples_per_s"`
	TokensPerS  float64       `json:"tokens_per_s"`
	Remaining   time.Duration `json:"-"`
}

// sampling shows progress after a block of prompts is answered.
func (d *display) sampling(p rejection.Progress) {
	line := fmt.Sprintf("rejection  prompts %d/%d  samples %d  mean score %.3g  picked score %.3g  %s samples/s  %s tokens/s  %s left",
		p.Prompts, p.All, p.Samples, p.MeanScore, p.PickedScore, short(p.SamplesPerS), short(p.TokensPerS), rough(p.Remaining))
	d.show(samplingJSON(p), line, p.Prompts == p.All)
}

// tensors returns a callback that shows the progress of work on a model, tensor by tensor.
func (d *display) tensors(what string) func(done, all int) {
	d.last = d.began // short work prints no progress
	return func(done, all int) {
		event := map[string]any{"work": what, "tensors": done, "all": all}
		d.show(event, fmt.Sprintf("%s  tensors %d/%d", what, done, all), false)
	}
}

// clear removes the line that redraw has drawn.
func (d *display) clear() {
	if d.drawn {
		fmt.Fprint(d.w, "\r\x1b[K")
		d.drawn = false
	}
}

// show shows an event. Without a terminal it drops events within lineEvery of the latest line,
// unless must is set.
func (d *display) show(event any, line string, must bool) {
	switch {
	case d.json != nil:
		d.json.Encode(event)
	case d.width != nil:
		d.redraw(line)
	case must || time.Since(d.last) >= lineEvery:
		fmt.Fprintln(d.w, line)
		d.last = time.Now()
	}
}

// begin shows on a terminal that a stage has started, before there is any progress.
func (d *display) begin(stage string) {
	if d.width != nil {
		d.redraw(stage + "  reading model and data ...")
	}
}

// redraw replaces the previous line. It cuts a line at the terminal's width, because it could not
// redraw a line that wraps.
func (d *display) redraw(line string) {
	if most := d.width() - 1; most > 0 && len(line) > most {
		line = line[:most]
	}
	fmt.Fprintf(d.w, "\r%s\x1b[K", line)
	d.drawn = true
}

// line prints a line that later progress does not replace.
func (d *display) line(text string) {
	d.clear()
	fmt.Fprintln(d.w, text)
}

// end prints the path that the run wrote and the time it took, or returns err.
func (d *display) end(wrote string, err error) error {
	if d.drawn {
		fmt.Fprintln(d.w)
	}
	took := time.Since(d.began)
	switch {
	case err != nil:
		return err
	case d.json != nil:
		return d.json.Encode(map[string]any{"wrote": wrote, "seconds": took.Seconds()})
	}
	_, err = fmt.Fprintf(d.w, "wrote %s in %s\n", wrote, rough(took))
	return err
}

// short formats a number with three digits: 950, 12.3k, 1.5M.
func short(x float64) string {
	for _, suffix := range []string{"", "k", "M"} {
		if x < 999.5 { // rounds to at most three digits
			return fmt.Sprintf("%.3g", x) + suffix
		}
		x /= 1000
	}
	return fmt.Sprintf("%.3gG", x)
}

// rough formats a duration in whole seconds, or in milliseconds if it is below one second.
func rough(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth returns the width of the terminal w in columns, or 80 if w does not report it.
func terminalWidth(w any) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}
