package report

import (
	"embed"
	"html/template"
	"io"
	"slices"
	"strconv"
)

//go:embed page
var pageFiles embed.FS

var page = template.Must(template.New("report.html").Funcs(template.FuncMap{
	"count": count, "num": num, "percent": percent, "correlation": correlation,
	"interval": func(e *Estimate) string { return e.interval(num) },
	"spread":   func(e *Estimate) string { return e.interval(percent) },
	"leftOut":  leftOut,
}).ParseFS(pageFiles, "page/*"))

// WriteHTML writes the report as one self-contained page without scripts. Apart from the doctype it
// is well-formed XML.
func (r *Report) WriteHTML(w io.Writer) error { return page.Execute(w, view{r}) }

// view adds the methods that the page's template calls to a report.
type view struct{ *Report }

// Heading returns the title, or "Rejection sampling".
func (v view) Heading() string {
	if v.Title == "" {
		return "Rejection sampling"
	}
	return v.Title
}

// PassPlot draws pass@k.
func (v view) PassPlot() template.HTML {
	return curvePlot("pass at k", "pass@k", roundPercent, percent, scale{to: 1}, series{"c", "pass@k", v.PassAtK})
}

// Chosen reports whether there are prompts with rewards to choose by.
func (v view) Chosen() bool { return v.BestOfN != nil && len(v.BestOfN.Correct) > 1 }

// PickPlot draws how often the reward's choice is correct, and pass@k as its upper bound.
func (v view) PickPlot() template.HTML {
	return curvePlot("correctness of the best of n", "correct", roundPercent, percent, scale{to: 1},
		series{"c", "pass@k", v.PassAtK}, series{"a", "the reward’s best", v.BestOfN.Correct})
}

// BestPlot draws the expected score of the best of n.
func (v view) BestPlot() template.HTML {
	points := v.BestOfN.Score
	return curvePlot("score of the best of n", "score", exact, num, rangeOf(estimates(points)...), series{"b", "best of n", points})
}

// ScorePlot draws the distribution of scores.
func (v view) ScorePlot() template.HTML { return histogramPlot("score", v.Score.Histogram) }

// RewardPlot draws the distribution of rewards.
func (v view) RewardPlot() template.HTML { return histogramPlot("reward", v.Reward.Histogram) }

// LengthPlot draws the score over the length.
func (v view) LengthPlot() template.HTML { return lengthPlot(v.Length.Unit, v.LengthBias.Bins) }

// curveTable is a curve as a table.
type curveTable struct {
	Name   string
	Points []Point
	Share  bool // values are shares, 0 to 1
}

// Table returns the argument for the page's table template, which takes only one.
func (v view) Table(name string, points []Point, share bool) curveTable {
	return curveTable{name, points, share}
}

// row is a line of a table of estimates.
type row struct {
	Name string
	*Estimate
}

// Interval formats the interval of a correlation.
func (r row) Interval() string { return r.Estimate.interval(correlation) }

// LengthRows returns the mean lengths that are known.
func (v view) LengthRows() []row {
	l := v.LengthBias
	return present(row{"all", l.All}, row{"highest score", l.Winners}, row{"lowest score", l.Losers}, row{"correct", l.Right}, row{"wrong", l.Wrong})
}

// CorrelationRows are the known correlations with length.
func (v view) CorrelationRows() []row {
	return present(row{"score", v.LengthBias.Score}, row{"correctness", v.LengthBias.Correct})
}

func present(rows ...row) []row {
	return slices.DeleteFunc(rows, func(r row) bool { return r.Estimate == nil })
}

// Interval returns the estimate itself, whose interval the page formats.
func (p Point) Interval() *Estimate { return &p.Estimate }

// Verdict is "correct", "wrong", or "" for an unjudged response.
func (r Response) Verdict() string {
	switch {
	case r.Correct == nil:
		return ""
	case *r.Correct:
		return "correct"
	}
	return "wrong"
}

func (e *Estimate) interval(format func(float64) string) string {
	if e == nil || e.Low == nil {
		return ""
	}
	return format(*e.Low) + " to " + format(*e.High)
}

// leftOut is the largest number of prompts that a point of a curve leaves out.
func leftOut(points []Point) int {
	most := 0
	for _, p := range points {
		most = max(most, p.LeftOut)
	}
	return most
}

// count formats a whole number with thousands separators.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
