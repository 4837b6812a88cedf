package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
)

// series is a curve of a plot.
type series struct {
	class  string // CSS class, which sets the colour
	name   string
	points []Point
}

// curvePlot draws curves over the number of samples, with their intervals.
func curvePlot(name, yName string, yTicks, format func(float64) string, y scale, all ...series) template.HTML {
	most := 0
	for _, s := range all {
		most = max(most, s.points[len(s.points)-1].Samples)
	}
	d := newDrawing(name, scale{from: 1, to: float64(most), log: most > 32, counts: true}, y)
	d.axes("samples per prompt", yName, exact, yTicks)
	for _, s := range all {
		d.path("band "+s.class, outline(s.points), true)
	}
	for _, s := range all {
		var line [][2]float64
		for _, p := range s.points {
			line = append(line, [2]float64{float64(p.Samples), p.Value})
		}
		d.path("line "+s.class, line, false)
		for _, p := range s.points {
			d.dot("dot "+s.class, float64(p.Samples), p.Value, fmt.Sprintf("%s, %d samples: %s", s.name, p.Samples, p.words(format)))
		}
	}
	return d.done()
}

// outline returns the polygon along the upper bounds and back along the lower bounds.
func outline(points []Point) [][2]float64 {
	upper, lower := make([][2]float64, len(points)), make([][2]float64, len(points))
	for i, p := range points {
		low, high := p.bounds()
		upper[i] = [2]float64{float64(p.Samples), high}
		lower[len(points)-1-i] = [2]float64{float64(p.Samples), low}
	}
	return append(upper, lower...)
}

// bounds returns the bounds of the interval, or the value twice if there is none.
func (e Estimate) bounds() (low, high float64) {
	if e.Low == nil {
		return e.Value, e.Value
	}
	return *e.Low, *e.High
}

// rangeOf returns a scale that is slightly wider than all intervals.
func rangeOf(all ...Estimate) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range all {
		l, h := e.bounds()
		low, high = min(low, l), max(high, h)
	}
	margin := (high - low) * 0.06
	if margin == 0 {
		margin = max(math.Abs(high)*0.1, 1e-6)
	}
	return scale{from: low - margin, to: high + margin}
}

func estimates(points []Point) []Estimate {
	var all []Estimate
	for _, p := range points {
		all = append(all, p.Estimate)
	}
	return all
}

// histogramPlot draws the share of all samples in each bin, with the correct ones at the bottom,
// and an outline of each prompt's best sample.
func histogramPlot(name string, h *Histogram) template.HTML {
	all, best := total(h.All), total(h.Best)
	highest := 0.0
	for i := range h.All {
		highest = max(highest, float64(h.All[i])/all, float64(h.Best[i])/best)
	}
	at := func(i int) float64 { return h.Low + h.Width*float64(i) }
	d := newDrawing("distribution of the "+name, scale{from: at(0), to: at(len(h.All))}, scale{to: highest * 1.05})
	d.axes(name, "share", exact, roundPercent)
	steps := [][2]float64{{at(0), 0}}
	for i, n := range h.All {
		foot, title := 0.0, fmt.Sprintf("%s to %s: %d samples", num(at(i)), num(at(i+1)), n)
		if h.Correct != nil {
			title += fmt.Sprintf(", %d correct", h.Correct[i])
			foot = float64(h.Correct[i]) / all
			d.bar("fill c", at(i), at(i+1), 0, foot, title)
		}
		d.bar("fill a", at(i), at(i+1), foot, float64(n)/all, title)
		share := float64(h.Best[i]) / best
		steps = append(steps, [2]float64{at(i), share}, [2]float64{at(i + 1), share})
	}
	d.path("line b", append(steps, [2]float64{at(len(h.All)), 0}), false)
	return d.done()
}

func total(counts []int) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	return float64(max(n, 1))
}

// lengthPlot draws the mean score of responses against their length.
func lengthPlot(unit string, bins []LengthBin) template.HTML {
	all := []Estimate{{}} // include 0
	for _, b := range bins {
		all = append(all, *b.Score)
	}
	x := rangeOf(Estimate{Value: bins[0].Length}, Estimate{Value: bins[len(bins)-1].Length})
	d := newDrawing("score by length", x, rangeOf(all...))
	d.axes(unit+" more than the prompt’s mean", "score above the prompt’s mean", exact, exact)
	d.path("zero", [][2]float64{{x.from, 0}, {x.to, 0}}, false)
	var line [][2]float64
	for _, b := range bins {
		low, high := b.Score.bounds()
		d.path("whisker a", [][2]float64{{b.Length, low}, {b.Length, high}}, false)
		line = append(line, [2]float64{b.Length, b.Score.Value})
	}
	d.path("line a", line, false)
	for _, b := range bins {
		d.dot("dot a", b.Length, b.Score.Value, fmt.Sprintf("%s to %s %s: %d samples, score %s", num(b.From), num(b.To), unit, b.Samples, b.Score.words(num)))
	}
	return d.done()
}

// num formats a number with three digits, or with all digits before the point.
func num(x float64) string {
	if a := math.Abs(x); a >= 1e3 && a < 1e7 {
		return signed(strconv.FormatFloat(x, 'f', 0, 64))
	}
	return signed(strconv.FormatFloat(x, 'g', 3, 64))
}

// exact formats all digits of a round number.
func exact(x float64) string { return signed(strconv.FormatFloat(rounded(x), 'g', -1, 64)) }

// signed replaces the hyphen of a negative number with a minus sign.
func signed(s string) string {
	if s[0] == '-' {
		return "−" + s[1:]
	}
	return s
}

// percent formats a share with one decimal.
func percent(x float64) string {
	if x == 0 || x == 1 {
		return roundPercent(x)
	}
	return strconv.FormatFloat(100*x, 'f', 1, 64) + "%"
}

// roundPercent formats a share with only the decimals that it needs.
func roundPercent(x float64) string {
	return strconv.FormatFloat(rounded(100*x), 'f', -1, 64) + "%"
}

// words formats the value and its interval.
func (e Estimate) words(format func(float64) string) string {
	if e.Low == nil {
		return format(e.Value)
	}
	return fmt.Sprintf("%s [%s, %s]", format(e.Value), format(*e.Low), format(*e.High))
}
