package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// The size of a drawing and of its margins, in SVG units. They are pixels unless the page is too
// narrow: the drawing scales with it.
const (
	plotWidth, plotHeight = 480.0, 270.0
	marginLeft, marginTop = 62.0, 12.0
	marginRight           = 14.0
	marginBottom          = 44.0
)

// scale maps numbers, or their base-2 logarithms if log is set, to a range of units.
type scale struct {
	from, to   float64
	start, end float64
	log        bool
	counts     bool // whole numbers from 1
}

func (s scale) at(x float64) float64 {
	from, to := s.from, s.to
	if s.log {
		from, to, x = math.Log2(from), math.Log2(to), math.Log2(x)
	}
	return s.start + (x-from)/(to-from)*(s.end-s.start)
}

// ticks returns about n round numbers in the scale's range, or for a logarithmic scale the powers
// of two and the end.
func (s scale) ticks(n int) []float64 {
	var all []float64
	if s.log {
		for x := s.from; x <= s.to; x *= 2 {
			all = append(all, x)
		}
		if last := all[len(all)-1]; s.to > 1.4*last {
			all = append(all, s.to)
		}
		return all
	}
	step := roundStep((s.to - s.from) / float64(n))
	if s.counts {
		step = max(1, step)
		if step == 2.5 {
			step = 5
		}
		if step > 1 {
			all = append(all, 1)
		}
	}
	for i := math.Ceil(s.from/step - 1e-9); i*step <= s.to+step*1e-9 && len(all) <= 2*n; i++ {
		all = append(all, i*step)
	}
	return all
}

// drawing is an SVG plot under construction. It contains only numbers and words of this package,
// never texts of a table, so it needs no escaping.
type drawing struct {
	strings.Builder
	x, y scale
}

// newDrawing begins a plot; name describes it for screen readers.
func newDrawing(name string, x, y scale) *drawing {
	x.start, x.end = marginLeft, plotWidth-marginRight
	y.start, y.end = plotHeight-marginBottom, marginTop
	d := &drawing{x: x, y: y}
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s">`, plotWidth, plotHeight, name)
	return d
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(d, format, args...) }

// axes draws the grid and the labels.
func (d *drawing) axes(xName, yName string, xFormat, yFormat func(float64) string) {
	for _, v := range d.y.ticks(5) {
		y := d.y.at(v)
		d.printf(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, d.x.start, d.x.end, y, y)
		d.printf(`<text class="end" x="%.1f" y="%.1f">%s</text>`, d.x.start-7, y+4, yFormat(v))
	}
	for _, v := range d.x.ticks(7) {
		d.printf(`<text class="mid" x="%.1f" y="%.1f">%s</text>`, d.x.at(v), d.y.start+18, xFormat(v))
	}
	d.printf(`<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, d.x.start, d.x.end, d.y.start, d.y.start)
	d.printf(`<text class="mid name" x="%.1f" y="%.1f">%s</text>`, (d.x.start+d.x.end)/2, plotHeight-6, xName)
	d.printf(`<text class="mid name" transform="translate(11 %.1f) rotate(-90)">%s</text>`, (d.y.start+d.y.end)/2, yName)
}

// path draws a line through points, and fills it if it is closed.
func (d *drawing) path(class string, places [][2]float64, closed bool) {
	d.printf(`<path class="%s" d="`, class)
	for i, p := range places {
		d.printf("%c%.1f %.1f", "ML"[min(i, 1)], d.x.at(p[0]), d.y.at(p[1]))
	}
	if closed {
		d.WriteString("Z")
	}
	d.WriteString(`"/>`)
}

// dot draws a point with a tooltip.
func (d *drawing) dot(class string, x, y float64, title string) {
	d.printf(`<circle class="%s" cx="%.1f" cy="%.1f" r="3.2"><title>%s</title></circle>`, class, d.x.at(x), d.y.at(y), title)
}

// bar draws a rectangle from the bottom of the plot, or on top of another one.
func (d *drawing) bar(class string, from, to, foot, top float64, title string) {
	left, right := d.x.at(from)+0.5, d.x.at(to)-0.5
	d.printf(`<rect class="%s" x="%.1f" width="%.1f" y="%.1f" height="%.1f"><title>%s</title></rect>`,
		class, left, max(right-left, 0.5), d.y.at(top), max(d.y.at(foot)-d.y.at(top), 0), title)
}

func (d *drawing) done() template.HTML {
	d.WriteString("</svg>")
	return template.HTML(d.String())
}
