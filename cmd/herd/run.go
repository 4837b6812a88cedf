package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/text/show"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/eval"
	"github.com/herd-lm/herd/recipes"
)

func newRunCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run NAME|FILE [--out DIR] [--set KEY=VALUE]...",
		Short: "Run all stages of a recipe, each from the results of the stages before it",
		Long: "Run all stages of a recipe, each from the results of the stages before it.\n\n" +
			"herd skips finished stages with the same settings and inputs, and resumes an\ninterrupted one: repeat the command to continue a run. herd replaces results of\nother settings or data only with --overwrite. To compare settings, give each its\nown directory with --out. Recipes: " +
			strings.Join(recipes.Names(), ", ") + ".",
		Example: "  herd run quickstart\n  herd run mine.yaml --set seed=2 --set dpo.beta=0.2 --out runs/beta0.2",
		Args:    operands("NAME|FILE"),
	}
	out := cmd.Flags().String("out", "", "`DIR` for the results of all stages (default runs/NAME)")
	sets := cmd.Flags().StringArray("set", nil, "set one setting: `KEY=VALUE`, or STAGE.KEY=VALUE for a stage")
	overwrite := cmd.Flags().Bool("overwrite", false, "replace results of other settings or data; stages without changes stay")
	profile := cmd.Flags().Bool("profile", false, profileUsage+", for each training stage")
	asJSON := cmd.Flags().Bool("json", false, "report progress as lines of JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := recipes.Load(args[0], config.Assignments("--set", *sets...))
		if err != nil {
			return err
		}
		if *out == "" {
			*out = filepath.Join("runs", r.Name)
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		w := cmd.OutOrStdout()
		shown := runDisplay{display: newDisplay(w, *asJSON)}
		results, err := r.Run(ctx, recipes.Options{Dir: *out, Overwrite: *overwrite, Profile: *profile, Report: shown.event})
		if err := shown.end(*out, err); err != nil || *asJSON {
			return err
		}
		return summarise(w, r, *out, results)
	}
	return cmd
}

// runDisplay shows the progress of a recipe: for each stage a heading, its progress and its
// result.
type runDisplay struct{ *display }

// eventJSON is recipes.Event as JSON.
type eventJSON struct {
	Stage    string         `json:"stage"`
	Kind     string         `json:"kind"`
	Status   recipes.Status `json:"status"`
	Seconds  float64        `json:"seconds"`
	Plan     *train.Plan    `json:"plan,omitempty"`
	Progress any            `json:"progress,omitempty"`
	Measures eval.Measures  `json:"measures,omitempty"`
}

func (d runDisplay) event(e recipes.Event) {
	if d.json != nil {
		d.json.Encode(jsonEvent(e))
		return
	}
	switch {
	case e.Status == recipes.Running:
		d.progress(e)
	case e.Status == recipes.Testing:
		d.note("measuring " + e.Stage + " ...")
	default:
		d.line(place(e) + title(e) + ": " + string(e.Status) + outcome(e))
	}
}

// note shows a line on a terminal until the next one replaces it.
func (d runDisplay) note(text string) {
	if d.width != nil {
		d.redraw(text)
	}
}

func jsonEvent(e recipes.Event) eventJSON {
	j := eventJSON{Stage: e.Stage, Kind: e.Kind, Status: e.Status, Seconds: e.Elapsed.Seconds(), Measures: e.Measures}
	switch {
	case e.Plan != nil:
		j.Plan = e.Plan
	case e.Training != nil:
		j.Progress = e.Training
	case e.Sampling != nil:
		j.Progress = samplingJSON(*e.Sampling)
	}
	return j
}

// place returns a stage's number as "[1/5] ", or "" for the data, which comes before the first
// stage.
func place(e recipes.Event) string {
	if e.Index < 0 {
		return ""
	}
	return fmt.Sprintf("[%d/%d] ", e.Index+1, e.Stages)
}

// title returns the stage's name, and its kind if the two differ.
func title(e recipes.Event) string {
	if e.Kind == e.Stage {
		return e.Stage
	}
	return fmt.Sprintf("%s (%s)", e.Stage, e.Kind)
}

// outcome returns how long a stage took, and its main measures, with the number of rows behind each.
func outcome(e recipes.Event) string {
	var b strings.Builder
	if e.Status == recipes.Done {
		fmt.Fprintf(&b, " in %s", rough(e.Elapsed.Round(time.Millisecond)))
	}
	for _, name := range []string{"loss", "accuracy", "win_rate", "reward_accuracy", "sample_accuracy", "picked_accuracy"} {
		if m, ok := e.Measures[name]; ok {
			fmt.Fprintf(&b, ", %s %.3f (%d)", strings.ReplaceAll(name, "_", " "), m.Value, m.N)
		}
	}
	return b.String()
}

// summarise prints the table of stages, some answers of each stage, and a command to try next.
func summarise(w io.Writer, r *recipes.Recipe, dir string, results eval.Results) error {
	width := 0
	if isTerminal(w) {
		width = terminalWidth(w)
	}
	fmt.Fprintln(w)
	if err := results.Table(w, width); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n(on held-out data, with 95%% confidence; more in %s)\n", filepath.Join(dir, recipes.ResultsFile))
	examples, err := r.Examples(dir, 3)
	if err != nil {
		return err
	}
	for _, x := range examples {
		fmt.Fprintf(w, "\n%s\n", x.Prompt)
		for _, a := range x.Answers {
			fmt.Fprintf(w, "  %-10s %s %s\n", a.Stage, mark(a.Correct), show.Terminal(show.Line(a.Text, 72)))
		}
	}
	for i := len(r.Stages) - 1; i >= 0; i-- {
		if _, talks := results.Stages[i].Measures["win_rate"]; talks {
			fmt.Fprintf(w, "\nTalk to it:  %s chat --model %s\n", program(), filepath.Join(dir, r.Stages[i].Name))
			break
		}
	}
	return nil
}

func mark(right bool) string {
	if right {
		return "+"
	}
	return "-"
}
