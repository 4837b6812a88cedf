package view

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/show"
	"github.com/herd-lm/herd/data/table"
)

// mostExtra is how many bytes of a value in an extra column Show prints: an embedding has
// thousands.
const mostExtra = 300

// Show prints n rows of the table at path, from row number from on (the first is 1); if n is 0,
// all rows from there. It wraps text at 80 columns and escapes control characters.
func Show(w io.Writer, path string, from, n int) error {
	p := page{bufio.NewWriter(w)}
	err := Rows(path, from, n, func(number int, row table.Record) error {
		p.row(number, row)
		return nil
	})
	if err != nil {
		return err
	}
	return p.Flush()
}

// Rows calls each for n rows of the table at path, from row number from on (the first is 1); if n
// is 0, for all rows from there. It stops at the first error.
func Rows(path string, from, n int, each func(number int, row table.Record) error) error {
	rows, err := table.OpenAny(path)
	if err != nil {
		return err
	}
	defer rows.Close()
	if from > rows.NumRows() {
		return fmt.Errorf("%s has %d rows: there is no row %d", path, rows.NumRows(), from)
	}
	number := max(from, 1)
	for row, err := range rows.Records(number - 1) {
		if err != nil {
			return err
		}
		if err := each(number, row); err != nil {
			return err
		}
		if number++; n > 0 && number >= max(from, 1)+n {
			break
		}
	}
	return nil
}

// page prints rows. Its writer keeps the first error, which Flush returns.
type page struct{ *bufio.Writer }

func (p page) row(number int, r table.Record) {
	fmt.Fprintf(p, "=== row %d  %s\n", number, show.Terminal(r.RowOrigin().ID))
	p.origin(r.RowOrigin())
	views[r.RowKind()].show(p, r)
	fmt.Fprintln(p)
}

func (p page) document(r *table.Document) {
	p.facts("url", r.URL, "lang", r.Lang)
	p.text(r.Text)
}

func (p page) chat(r *table.Chat) {
	p.facts("tools", string(r.Tools))
	p.messages("", r.Messages)
}

func (p page) origin(o *table.Origin) {
	p.facts("source", o.Source, "parents", strings.Join(o.Parents, " "))
	for _, key := range slices.Sorted(maps.Keys(o.Meta)) {
		p.facts("meta "+key, o.Meta[key])
	}
	for _, name := range o.Extra.Names() {
		p.facts("extra "+name, show.Cut(o.Extra.String(name), mostExtra))
	}
}

func (p page) preference(r *table.Preference) {
	p.facts("strength", nonZero(r.Strength), "annotator", r.Annotator, "ref_digest", r.RefDigest, "tools", string(r.Tools))
	p.messages("", r.Prompt)
	p.messages("CHOSEN"+labelled(" score ", r.ChosenScore)+labelled(" ref logp ", r.RefChosenLogP)+" ", r.Chosen)
	p.messages("REJECTED"+labelled(" score ", r.RejectedScore)+labelled(" ref logp ", r.RefRejectedLogP)+" ", r.Rejected)
	p.messages("EDITED ", r.Edited)
}

func (p page) unpaired(r *table.UnpairedPreference) {
	p.facts("label", strconv.FormatBool(r.Label), "tools", string(r.Tools))
	p.messages("", r.Prompt)
	p.messages("COMPLETION ", r.Completion)
}

func (p page) sample(r *table.Sample) {
	p.facts("tools", string(r.Tools))
	p.messages("", r.Prompt)
	if r.Reference != "" {
		fmt.Fprintln(p, "[reference]")
		p.text(r.Reference)
	}
	for i, c := range r.Candidates {
		fmt.Fprintf(p, "[candidate %d%s%s%s  %s  %d tokens  seed %d]\n",
			i+1, labelled("  score ", c.Score), verdict(c), labelled("  logprob ", c.LogProb), show.Terminal(c.Finish), len(c.IDs), c.Seed)
		p.text(c.Text)
	}
}

// verdict formats the checker's verdict on a candidate, if any.
func verdict(c table.Candidate) string {
	if c.Correct == nil {
		return ""
	}
	said := "  wrong"
	if *c.Correct {
		said = "  correct"
	}
	if c.Note != "" {
		said += " (" + show.Terminal(c.Note) + ")"
	}
	return said
}

// facts prints pairs of name and value, and skips empty values.
func (p page) facts(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(p, "%s: %s\n", show.Terminal(pairs[i]), show.Terminal(pairs[i+1]))
		}
	}
}

func (p page) messages(label string, ms []chat.Message) {
	for _, m := range ms {
		fmt.Fprintf(p, "[%s%s%s]\n", label, show.Terminal(m.Role), labelled("  weight ", m.Weight))
		p.facts("name", m.Name, "tool_call_id", m.ToolCallID)
		if m.Reasoning != "" {
			fmt.Fprintln(p, "(reasoning)")
			p.text(m.Reasoning)
			fmt.Fprintln(p, "(answer)")
		}
		p.text(m.Content)
		for _, call := range m.ToolCalls {
			p.facts("call", strings.TrimSpace(call.ID+" "+call.Name+" "+string(call.Arguments)))
		}
	}
}

func (p page) text(s string) {
	const width, indent = 80, "  "
	for _, line := range strings.Split(strings.TrimRight(s, "\n"), "\n") {
		for _, part := range show.Wrap(show.Terminal(line), width-len(indent)) {
			fmt.Fprintln(p, strings.TrimRight(indent+part, " "))
		}
	}
}

func nonZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func labelled(label string, x *float64) string {
	if x == nil {
		return ""
	}
	return fmt.Sprintf("%s%.4g", label, *x)
}
