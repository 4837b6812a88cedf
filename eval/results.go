package eval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/eval/stat"
)

// Results holds the measures of each stage, in the order in which the stages ran.
type Results struct {
	Stages []Stage `json:"stages"`
}

// Stage holds the measures of one stage.
type Stage struct {
	Stage    string   `json:"stage"`
	Measures Measures `json:"measures"`
}

// Write writes the results as JSON.
func (r Results) Write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("eval: %s: %w", path, err)
	}
	return disk.WriteBytes(path, append(b, '\n'))
}

// Table prints a row per stage and a column per measure, the most important first: as many as fit
// into width columns of text, or all if width is 0. It leaves out measures with a slash in their
// name, which only the file has.
func (r Results) Table(w io.Writer, width int) error {
	columns := r.columns()
	if width > 0 {
		columns = columns[:min(len(columns), max(1, (width-r.longestName())/cellWidth))]
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "stage")
	for _, c := range columns {
		fmt.Fprintf(t, "\t%s", r.title(c))
	}
	fmt.Fprintln(t)
	for _, s := range r.Stages {
		fmt.Fprint(t, s.Stage)
		for _, c := range columns {
			fmt.Fprintf(t, "\t%s", s.Measures.cell(c, r.size(c) == 0))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.Stages {
		for _, line := range s.Measures.omissions() {
			fmt.Fprintf(w, "%s: %s\n", s.Stage, line)
		}
	}
	return nil
}

// cellWidth is the maximum width of a column with the space after it, except for long names such as
// "preference accuracy".
const cellWidth = 17

func (r Results) longestName() int {
	n := len("stage")
	for _, s := range r.Stages {
		n = max(n, len(s.Stage))
	}
	return n
}

// order is the order of the columns; others follow by name.
var order = []string{"accuracy", "win_rate", "reward_accuracy", "loss", "bits_per_byte", "chat_loss", "preference_accuracy", "well_formed", "concise", "contains"}

func (r Results) columns() []string {
	var names []string
	for _, s := range r.Stages {
		for name := range s.Measures {
			if !strings.Contains(name, "/") && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
	})
	return names
}

// size returns how many questions, documents or pairs a measure summarises, if that is the same
// number for all stages that have it, or 0.
func (r Results) size(name string) (n int) {
	for _, s := range r.Stages {
		m, ok := s.Measures[name]
		switch {
		case !ok:
		case n != 0 && m.N != n:
			return 0
		default:
			n = m.N
		}
	}
	return n
}

// title is the title of a column, with the number that the measure summarises.
func (r Results) title(name string) string {
	title := strings.ReplaceAll(name, "_", " ")
	if n := r.size(name); n > 0 {
		title += fmt.Sprintf(" (%d)", n)
	}
	return title
}

func rank(name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

// cell formats a measure with half the width of its interval, if they are known, and with n
// how many questions, documents or pairs it summarises.
func (m Measures) cell(name string, n bool) string {
	x, ok := m[name]
	count := ""
	if n {
		count = fmt.Sprintf(" (%d)", x.N)
	}
	half := (x.High - x.Low) / 2
	switch {
	case !ok || !stat.Known(x.Value):
		return "-"
	case !stat.Known(half):
		return fmt.Sprintf("%.3f", x.Value) + count
	}
	return fmt.Sprintf("%.3f ±%.3f", x.Value, half) + count
}
