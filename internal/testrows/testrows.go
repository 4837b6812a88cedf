// Package testrows makes random rows for tests that read or write tables. Begin with New and
// Write.
package testrows

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
)

// Rows makes rows of every shape that a table can hold: absent and empty lists, null and
// extreme numbers, texts of many scripts and lengths.
type Rows struct{ *rand.Rand }

// New returns a source of rows that depends on the seed alone.
func New(seed uint64) Rows { return Rows{rand.New(rand.NewPCG(seed, 1))} }

func (r Rows) text() string {
	alphabet := []string{"a", "Z", " ", "\n", "\t", "\"", "\\", "\x00", "\x1b", "é", "好", "😀", "\u2028", "<", "&"}
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func (r Rows) origin() table.Origin {
	o := table.Origin{Source: r.text()}
	if r.IntN(2) == 0 {
		o.ID = "id-" + r.text()
	}
	for range r.IntN(3) {
		o.Parents = append(o.Parents, r.text())
	}
	for range r.IntN(4) {
		if o.Meta == nil {
			o.Meta = map[string]string{}
		}
		o.Meta[r.text()] = r.text()
	}
	return o
}

func (r Rows) messages(least int) []chat.Message {
	var ms []chat.Message
	for range least + r.IntN(4) {
		m := chat.Message{Role: "r" + r.text(), Content: r.text()}
		if r.IntN(2) == 0 {
			m.Reasoning, m.ToolCallID, m.Name, m.ToolCalls = r.text(), r.text(), r.text(), r.calls()
		}
		if r.IntN(4) == 0 {
			w := []float64{0, 0.25, 1, 3}[r.IntN(4)]
			m.Weight = &w
		}
		ms = append(ms, m)
	}
	return ms
}

func (r Rows) calls() []chat.Call {
	var calls []chat.Call
	for range r.IntN(3) {
		c := chat.Call{Name: "f" + r.text(), Arguments: `{"z":1,"a":"é"}`}
		if r.IntN(2) == 0 {
			c.ID = r.text()
		}
		calls = append(calls, c)
	}
	return calls
}

func (r Rows) tools() chat.JSON {
	if r.IntN(2) == 0 {
		return ""
	}
	return `[{"type":"function","function":{"name":"f"}}]`
}

func (r Rows) score() *float64 {
	if r.IntN(3) == 0 {
		return nil
	}
	x := []float64{0, -0.25, 1e-300, -1e300, r.NormFloat64()}[r.IntN(5)]
	return &x
}

// Document returns the next random row.
func (r Rows) Document() table.Document {
	return table.Document{Origin: r.origin(), Text: r.text(), URL: r.text(), Lang: r.text()}
}

// Chat returns the next random row.
func (r Rows) Chat() table.Chat {
	return table.Chat{Origin: r.origin(), Messages: r.messages(1), Tools: r.tools()}
}

// Preference returns the next random row.
func (r Rows) Preference() table.Preference {
	return table.Preference{
		Origin: r.origin(), Prompt: r.messages(0), Chosen: r.messages(1), Rejected: r.messages(1), Edited: r.messages(0), Tools: r.tools(),
		Strength: r.IntN(5), Annotator: r.text(), ChosenScore: r.score(), RejectedScore: r.score(),
		RefChosenLogP: r.score(), RefRejectedLogP: r.score(), RefDigest: r.text(),
	}
}

// Unpaired returns the next random row.
func (r Rows) Unpaired() table.UnpairedPreference {
	return table.UnpairedPreference{Origin: r.origin(), Prompt: r.messages(0), Completion: r.messages(1), Label: r.IntN(2) == 0, Tools: r.tools()}
}

// Sample returns the next random row.
func (r Rows) Sample() table.Sample {
	s := table.Sample{Origin: r.origin(), Prompt: r.messages(0), Tools: r.tools(), Reference: r.text()}
	for range r.IntN(4) {
		c := table.Candidate{Text: r.text(), LogProb: r.score(), Finish: "stop", Seed: r.Uint64(), K: r.IntN(9), Score: r.score(), Reward: r.score(), Note: r.text()}
		if r.IntN(2) == 0 {
			correct := r.IntN(2) == 0
			c.Correct = &correct
		}
		for range r.IntN(5) {
			c.IDs = append(c.IDs, token.ID(r.Int32()))
		}
		s.Candidates = append(s.Candidates, c)
	}
	return s
}

// Write writes a table of the rows.
func Write[T table.Row](t testing.TB, path string, h table.Header, rows []T) {
	t.Helper()
	w, err := table.Create[T](path, h)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Draw returns n rows.
func Draw[T any](n int, row func() T) []T {
	rows := make([]T, n)
	for i := range rows {
		rows[i] = row()
	}
	return rows
}

// ListFolder returns the names in a folder, in order.
func ListFolder(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
