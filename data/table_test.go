package data

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/herd-lm/herd/core/token"
)

// randomRows makes rows of every shape that a table can hold: absent and empty
// lists, null and extreme numbers, texts of every script and length.
type randomRows struct{ *rand.Rand }

func newRandomRows(seed uint64) randomRows { return randomRows{rand.New(rand.NewPCG(seed, 1))} }

func (r randomRows) text() string {
	alphabet := []string{"a", "Z", " ", "\n", "\t", "\"", "\\", "\x00", "\x1b", "é", "好", "😀", "\u2028", "<", "&"}
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func (r randomRows) origin() Origin {
	o := Origin{Source: r.text()}
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

func (r randomRows) messages(least int) []token.Message {
	var ms []token.Message
	for range least + r.IntN(4) {
		ms = append(ms, token.Message{Role: "r" + r.text(), Content: r.text()})
	}
	return ms
}

func (r randomRows) score() *float64 {
	if r.IntN(3) == 0 {
		return nil
	}
	x := []float64{0, -0.25, 1e-300, -1e300, r.NormFloat64()}[r.IntN(5)]
	return &x
}

func (r randomRows) document() Document {
	return Document{Origin: r.origin(), Text: r.text(), URL: r.text(), Lang: r.text()}
}

func (r randomRows) chat() Chat { return Chat{Origin: r.origin(), Messages: r.messages(1)} }

func (r randomRows) preference() Preference {
	return Preference{
		Origin: r.origin(), Prompt: r.messages(0), Chosen: r.messages(1), Rejected: r.messages(1), Edited: r.messages(0),
		Strength: r.IntN(5), Annotator: r.text(), ChosenScore: r.score(), RejectedScore: r.score(),
		RefChosenLogP: r.score(), RefRejectedLogP: r.score(), RefDigest: r.text(),
	}
}

func (r randomRows) sample() Sample {
	s := Sample{Origin: r.origin(), Prompt: r.messages(0), Reference: r.text()}
	for range r.IntN(4) {
		c := Candidate{Text: r.text(), LogProb: r.score(), Finish: "stop", Seed: r.Uint64(), K: r.IntN(9), Score: r.score(), Reward: r.score(), Note: r.text()}
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

func writeTable[T Row](t *testing.T, path string, h Header, rows []T) {
	t.Helper()
	w, err := Create[T](path, h)
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

func draw[T any](n int, row func() T) []T {
	rows := make([]T, n)
	for i := range rows {
		rows[i] = row()
	}
	return rows
}

// Empty lists and absent ones are one thing to whoever uses a row.
var equalRows = cmpopts.EquateEmpty()

func checkRoundTrip[T Row](t *testing.T, rows []T) {
	path := filepath.Join(t.TempDir(), "table.arrow")
	header := Header{Stage: "test", Digests: Digests{"m", "t", "", "r", "s", "c"}, Seed: 1<<64 - 1}
	writeTable(t, path, header, rows)
	got, h, err := ReadAll[T](path)
	if err != nil {
		t.Fatal(err)
	}
	header.Kind, header.Version = recordOf(new(T)).kind(), Version
	if diff := cmp.Diff(header, h); diff != "" {
		t.Errorf("header (-written +read):\n%s", diff)
	}
	for i := range rows {
		if o := OriginOf(&rows[i]); o.ID == "" {
			o.ID = ContentID(rows[i])
		}
	}
	if diff := cmp.Diff(rows, got, equalRows); diff != "" {
		t.Errorf("rows (-written +read):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, batchRows, 2*batchRows + 1} {
		r := newRandomRows(uint64(n))
		t.Run("documents", func(t *testing.T) { checkRoundTrip(t, draw(n, r.document)) })
		t.Run("chats", func(t *testing.T) { checkRoundTrip(t, draw(n, r.chat)) })
		t.Run("preferences", func(t *testing.T) { checkRoundTrip(t, draw(n, r.preference)) })
		t.Run("samples", func(t *testing.T) { checkRoundTrip(t, draw(n, r.sample)) })
	}
}
