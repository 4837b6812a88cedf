package view

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/show"
	"github.com/herd-lm/herd/data/table"
)

// Summary describes the contents of a table.
type Summary struct {
	Header    table.Header
	Rows      int
	Distinct  int  // ids
	Estimated bool // Distinct is an estimate, within about 1%

	Distributions []Distribution // of lengths, turns, scores, ...
	Counts        []Counts       // of roles, sources, meta values, ...
}

// Counts holds how often each value of a column occurs.
type Counts struct {
	Name   string
	Values []Count // the most frequent first
	Other  int     // occurrences of values that Values has no room for
}

// Count is a value and how often it occurs.
type Count struct {
	Value string
	N     int
}

// Stats summarises the table at path in one pass and bounded memory.
func Stats(path string) (Summary, error) {
	rows, err := table.OpenAny(path)
	if err != nil {
		return Summary{}, err
	}
	defer rows.Close()
	t := tally{ids: newDistinct(), numbers: map[string]*sketch{}, values: map[string]*counter{}}
	for row, err := range rows.Records(0) {
		if err != nil {
			return Summary{}, err
		}
		t.row(row)
	}
	return t.summary(rows.Header()), nil
}

// tally collects numbers and values by name.
type tally struct {
	rows    int
	ids     *distinct
	numbers map[string]*sketch
	values  map[string]*counter
}

// counter counts values. Once it is full, it counts new values as others.
type counter struct {
	n     map[string]int
	other int
}

const (
	mostNames     = 100 // of meta columns
	mostValues    = 200
	mostValueText = 60 // bytes of a value; longer values with the same beginning count as one
)

func (t *tally) number(name string, x float64) {
	s := t.numbers[name]
	if s == nil {
		s = &sketch{}
		t.numbers[name] = s
	}
	s.add(x)
}

func (t *tally) optional(name string, x *float64) {
	if x != nil {
		t.number(name, *x)
	}
}

func (t *tally) value(name, v string) {
	c := t.values[name]
	if c == nil {
		if len(t.values) >= mostNames {
			return
		}
		c = &counter{n: map[string]int{}}
		t.values[name] = c
	}
	v = show.Cut(v, mostValueText)
	if _, known := c.n[v]; !known && len(c.n) >= mostValues {
		c.other++
		return
	}
	c.n[v]++
}

func (t *tally) row(r table.Record) {
	t.rows++
	o := r.RowOrigin()
	t.ids.add(o.ID)
	t.value("source", o.Source)
	for k, v := range o.Meta {
		t.value("meta "+k, v)
	}
	t.extra(o.Extra)
	views[r.RowKind()].count(t, r)
}

// extra counts the extra columns: numbers as a distribution, other types by value.
func (t *tally) extra(x table.Extra) {
	for _, name := range x.Names() {
		if n, ok := x.Number(name); ok {
			t.number("extra "+name, n)
			continue
		}
		t.value("extra "+name, x.String(name))
	}
}

func (t *tally) document(r *table.Document) {
	t.text("", r.Text)
	t.value("lang", r.Lang)
}

func (t *tally) chat(r *table.Chat) {
	t.messages("", r.Messages)
	t.value("last role", r.Messages[len(r.Messages)-1].Role)
}

func (t *tally) text(part, s string) {
	t.number(part+"bytes", float64(len(s)))
	t.number(part+"words", float64(countWords(s)))
}

func (t *tally) messages(part string, ms []chat.Message) {
	size, words := 0, 0
	for _, m := range ms {
		t.value(part+"role", m.Role)
		size += table.MessageBytes([]chat.Message{m}) - len(m.Role)
		words += countWords(m.Content) + countWords(m.Reasoning)
		t.weight(part, m)
	}
	t.number(part+"turns", float64(len(ms)))
	t.number(part+"bytes", float64(size))
	t.number(part+"words", float64(words))
}

// weight counts the messages of the assistant whose weight is not 1.
func (t *tally) weight(part string, m chat.Message) {
	if m.Weight != nil {
		t.value(part+"weight", strconv.FormatFloat(*m.Weight, 'g', -1, 64))
	}
}

func (t *tally) unpaired(u *table.UnpairedPreference) {
	t.messages("prompt ", u.Prompt)
	t.messages("completion ", u.Completion)
	t.value("label", strconv.FormatBool(u.Label))
}

func (t *tally) preference(p *table.Preference) {
	t.messages("prompt ", p.Prompt)
	t.messages("chosen ", p.Chosen)
	t.messages("rejected ", p.Rejected)
	if p.Edited != nil {
		t.messages("edited ", p.Edited)
	}
	t.value("strength", strconv.Itoa(p.Strength))
	t.value("annotator", p.Annotator)
	t.value("chosen is", []string{"shorter", "as long", "longer"}[1+cmp.Compare(table.MessageBytes(p.Chosen), table.MessageBytes(p.Rejected))])
	t.optional("chosen_score", p.ChosenScore)
	t.optional("rejected_score", p.RejectedScore)
	if p.ChosenScore != nil && p.RejectedScore != nil {
		t.number("score margin", *p.ChosenScore-*p.RejectedScore)
	}
	t.optional("ref_chosen_logp", p.RefChosenLogP)
	t.optional("ref_rejected_logp", p.RefRejectedLogP)
}

func (t *tally) sample(s *table.Sample) {
	t.messages("prompt ", s.Prompt)
	t.number("candidates", float64(len(s.Candidates)))
	for _, c := range s.Candidates {
		t.text("candidate ", c.Text)
		t.number("candidate tokens", float64(len(c.IDs)))
		t.optional("logprob", c.LogProb)
		t.optional("score", c.Score)
		t.optional("reward", c.Reward)
		if c.Correct != nil {
			t.value("correct", strconv.FormatBool(*c.Correct))
		}
		t.value("finish", c.Finish)
	}
}

func (t *tally) summary(h table.Header) Summary {
	s := Summary{Header: h, Rows: t.rows}
	s.Distinct, s.Estimated = t.ids.count()
	s.Distinct = min(s.Distinct, s.Rows)
	for _, name := range slices.Sorted(maps.Keys(t.numbers)) {
		s.Distributions = append(s.Distributions, t.numbers[name].distribution(name))
	}
	for _, name := range slices.Sorted(maps.Keys(t.values)) {
		s.Counts = append(s.Counts, t.values[name].counts(name))
	}
	return s
}

func (c *counter) counts(name string) Counts {
	out := Counts{Name: name, Other: c.other}
	for v, n := range c.n {
		out.Values = append(out.Values, Count{v, n})
	}
	slices.SortFunc(out.Values, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// countWords counts the words that strings.Fields returns.
func countWords(s string) int {
	n := 0
	for range strings.FieldsSeq(s) {
		n++
	}
	return n
}

// Print formats the summary for a person.
func (s Summary) Print(w io.Writer) error {
	about := ""
	if s.Estimated {
		about = "about "
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d %s, %s%d distinct ids, %s%d duplicates\n\n", s.Rows, s.Header.Kind, about, s.Distinct, about, s.Rows-s.Distinct)
	fmt.Fprint(tab, "\tcount\tmin\tmedian\tmean\tp95\tmax\t\n")
	for _, d := range s.Distributions {
		fmt.Fprintf(tab, "%s\t%d\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t\n", d.Name, d.Count, d.Min, d.Median, d.Mean, d.P95, d.Max)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	for _, c := range s.Counts {
		if _, err := fmt.Fprintf(w, "\n%s\n%s", show.Terminal(c.Name), c.lines()); err != nil {
			return err
		}
	}
	return nil
}

// lines lists the most frequent values, one per line.
func (c Counts) lines() string {
	const most = 10
	var b strings.Builder
	rest := c.Other
	for i, v := range c.Values {
		if i >= most {
			rest += v.N
			continue
		}
		fmt.Fprintf(&b, "%10d  %s\n", v.N, cmp.Or(show.Terminal(v.Value), "(none)"))
	}
	if rest > 0 {
		fmt.Fprintf(&b, "%10d  other values\n", rest)
	}
	return b.String()
}
