package main

import (
	"fmt"
	"strings"

	"github.com/herd-lm/herd/eval/report"
	"github.com/herd-lm/herd/rejection"
)

// sampled shows the summary of rejection sampling.
func (d *display) sampled(s rejection.Summary) {
	if d.json != nil {
		d.json.Encode(map[string]any{"summary": s})
		return
	}
	if d.drawn { // keep the line of progress
		fmt.Fprintln(d.w)
		d.drawn = false
	}
	d.line(fmt.Sprintf("%d prompts, %d samples (%d of them new): %d cut off, %d duplicates; score %.3g on average, %.3g of the best",
		s.Prompts, s.Samples, s.Drawn, s.CutOff, s.Duplicates, s.MeanScore, s.BestScore))
	if s.Checked > 0 {
		d.line(fmt.Sprintf("%d samples correct, %d prompts solved%s", s.Correct, s.Solved, passes(s.Report.PassAtK)))
	}
	if n := len(s.Skipped); n > 0 {
		line := fmt.Sprintf("%d prompts were too long and skipped: %s", n, strings.Join(s.Skipped[:min(n, 5)], ", "))
		if s.Heavy() {
			line = "warning: " + line
		}
		d.line(line)
	}
	if s.Repeated > 0 {
		d.line(fmt.Sprintf("%d rows repeat the prompt of a row before them and were left out", s.Repeated))
	}
	d.line(fmt.Sprintf("%d chats of %d prompts, %d preferences; %s has the report", s.Chats, s.Picked, s.Preferences, rejection.ReportFile))
}

// passes formats pass@k for the smallest and the largest k.
func passes(points []report.Point) string {
	if len(points) == 0 {
		return ""
	}
	var b strings.Builder
	for _, p := range []report.Point{points[0], points[len(points)-1]} {
		fmt.Fprintf(&b, ", pass@%d %.3f", p.Samples, p.Value)
	}
	return b.String()
}
