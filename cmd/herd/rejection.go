package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/eval/report"
	"github.com/herd-lm/herd/rejection"
)

func newRejectionCmd() *cobra.Command {
	return newStageCmd(stage[rejection.Settings]{
		name:     "rejection",
		short:    "Sample answers from a model and let a reward model or a checker choose",
		example:  "  herd rejection --model chatty --reward judge --data prompts.arrow --out best --set samples=8",
		defaults: rejection.Defaults(),
		paths: []pathFlag{
			dataFlag("prompts", "`TABLES` of chats to answer"),
			modelFlag("`DIR` of the model that answers"),
			adapterFlag,
			{flag: "reward", setting: "reward", usage: "`DIR` of the reward model that chooses"},
			outFlag("`DIR` to write samples, chats and preferences to"),
		},
		run: func(ctx context.Context, s rejection.Settings, c conduct) error {
			return rejection.Run(ctx, s, rejection.Options{
				Mode: c.Mode, Report: c.display.sampling, Summarise: c.display.sampled,
			})
		},
		wrote: func(s rejection.Settings) string { return s.Out },
	})
}

// sampled says what came of rejection sampling.
func (d *display) sampled(s rejection.Summary) {
	if d.json != nil {
		d.json.Encode(map[string]any{"summary": s})
		return
	}
	if d.drawn { // the line of progress stays
		fmt.Fprintln(d.w)
		d.drawn = false
	}
	d.line(fmt.Sprintf("%d prompts, %d samples (%d of them new): %d cut off, %d duplicates; score %.3g on average, %.3g of the best",
		s.Prompts, s.Samples, s.Drawn, s.CutOff, s.Duplicates, s.MeanScore, s.BestScore))
	if s.Checked > 0 {
		d.line(fmt.Sprintf("%d samples correct, %d prompts solved%s", s.Correct, s.Solved, passes(s.Report.PassAtK)))
	}
	if n := len(s.Skipped); n > 0 {
		d.line(fmt.Sprintf("%d prompts were too long and skipped: %s", n, strings.Join(s.Skipped[:min(n, 5)], ", ")))
	}
	d.line(fmt.Sprintf("%d chats of %d prompts, %d preferences; %s has the report", s.Chats, s.Picked, s.Preferences, rejection.ReportFile))
}

// passes lists pass@k for the fewest and the most samples.
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
