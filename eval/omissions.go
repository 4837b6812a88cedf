package eval

import (
	"fmt"

	"github.com/herd-lm/herd/eval/stat"
)

// left are the measures that count rows which were not measured or not learnt, and why.
var left = []struct{ name, format string }{
	{"pairs/too_long", "%v of %d pairs are longer than the model's context and not measured"},
	{"chats/too_long", "%v of %d chats are longer than the model's context and not measured"},
	{"chats/no_turn", "%v of %d chats have no assistant's turn and are not measured"},
	{"rows/partly", "of %[2]d rows, %[1]v were learnt without what the chat template leaves out"},
	{"rows/too_long", "%v of %d rows were too long and not learnt"},
	{"rows/empty", "%v of %d rows had nothing to learn"},
	{"rows/alike", "%v of %d pairs had equal responses and were not learnt"},
}

// AddRows adds what became of the rows that a stage learnt from, by the keys of pack.Count, unless
// it used all of them as they are.
func (m Measures) AddRows(counts map[string]int) {
	all := counts["rows"]
	if counts["used"] == all && counts["cut"] == 0 && counts["partly"] == 0 {
		return
	}
	for key, n := range counts {
		if key != "rows" {
			m.leaveOut("rows/"+key, n, all)
		}
	}
}

// leaveOut adds how many of all rows were not measured, if any.
func (m Measures) leaveOut(name string, n, all int) {
	if n > 0 {
		m[name] = stat.Measure{Value: float64(n), Low: float64(n), High: float64(n), N: all}
	}
}

// omissions returns a line for each reason why rows were not measured. Above a tenth it is a
// warning.
func (m Measures) omissions() (lines []string) {
	for _, reason := range left {
		x, ok := m[reason.name]
		if !ok {
			continue
		}
		line := fmt.Sprintf(reason.format, x.Value, x.N)
		if 10*x.Value > float64(x.N) {
			line = "warning: " + line
		}
		lines = append(lines, line)
	}
	return lines
}
