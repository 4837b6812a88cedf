package view

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testrows"
)

func TestShow(t *testing.T) {
	dir := t.TempDir()
	preferences, samples := filepath.Join(dir, "p.arrow"), filepath.Join(dir, "s.arrow")
	better, worse := 1.5, -0.25
	prompt := []chat.Message{{Role: "user", Content: "Escape \x1b[31mthis\x1b[0m \u202eplease.\tThanks"}}
	testrows.Write(t, preferences, table.Header{}, []table.Preference{
		{Origin: table.Origin{ID: "p1"}, Chosen: prompt, Rejected: prompt},
		{Origin: table.Origin{ID: "p2", Source: "file", Meta: map[string]string{"class": "code"}}, Prompt: prompt,
			Chosen:      []chat.Message{{Role: "assistant", Content: strings.Repeat("word ", 30) + "\n\nend\n"}},
			Rejected:    []chat.Message{{Role: "assistant", Content: strings.Repeat("好", 50)}},
			ChosenScore: &better, RejectedScore: &worse, Strength: 3},
	})
	testrows.Write(t, samples, table.Header{}, []table.Sample{{Origin: table.Origin{ID: "s"}, Prompt: prompt[:0], Reference: "b", Candidates: []table.Candidate{
		{Text: "a", IDs: []token.ID{1}, LogProb: &worse, Finish: "stop", Seed: 9, Score: &better}, {Text: "", Finish: "length"}}}})
	var got strings.Builder
	if err := Show(&got, preferences, 2, 5); err != nil {
		t.Fatal(err)
	}
	if err := Show(&got, samples, 0, 0); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "show.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-testdata/show.txt +shown):\n%s", diff)
	}
	if err := Show(&got, preferences, 3, 1); err == nil || !strings.Contains(err.Error(), "has 2 rows: there is no row 3") {
		t.Errorf("past the end: got error %v", err)
	}
}

func TestShowCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.arrow")
	testrows.Write(t, path, table.Header{}, testrows.Draw(20, testrows.New(1).Document))
	for _, c := range []struct{ from, n, want int }{{0, 0, 20}, {1, 3, 3}, {0, 3, 3}, {19, 5, 2}, {20, 0, 1}} {
		var b strings.Builder
		if err := Show(&b, path, c.from, c.n); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), "=== row "); got != c.want {
			t.Errorf("from %d, %d rows: shown %d, want %d", c.from, c.n, got, c.want)
		}
	}
}

// TestViews: each kind of table has a view, which prints and counts extra columns too.
func TestViews(t *testing.T) {
	r := testrows.New(3)
	documents, chats, preferences, samples := testrows.Draw(5, r.Document), testrows.Draw(5, r.Chat), testrows.Draw(5, r.Preference), testrows.Draw(5, r.Sample)
	paths := map[table.Kind]string{}
	for _, kind := range table.Kinds() {
		paths[kind] = filepath.Join(t.TempDir(), string(kind))
	}
	writeExtra(t, paths[table.Documents], documents)
	writeExtra(t, paths[table.Chats], chats)
	writeExtra(t, paths[table.Preferences], preferences)
	writeExtra(t, paths[table.Samples], samples)
	writeExtra(t, paths[table.Unpaired], testrows.Draw(5, r.Unpaired))
	for kind, path := range paths {
		var b strings.Builder
		if err := Show(&b, path, 1, 0); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "extra score: 2.5\n"); n != 5 || strings.Count(b.String(), `extra tags: ["a","b"]`) != 5 {
			t.Errorf("%s: shown %d times in\n%s", kind, n, b.String())
		}
		summary, err := Stats(path)
		if err != nil {
			t.Fatal(err)
		}
		b.Reset()
		if err := summary.Print(&b); err != nil || !strings.Contains(b.String(), "extra score") || !strings.Contains(b.String(), "5  de\n") {
			t.Errorf("%s: %v in\n%s", kind, err, b.String())
		}
	}
}

func writeExtra[T table.Row](t *testing.T, path string, rows []T) {
	for i := range rows {
		x := &table.OriginOf(&rows[i]).Extra
		x.SetNumber("score", 2.5)
		x.SetText("tongue", "de")
		x.SetTexts("tags", []string{"a", "b"})
	}
	testrows.Write(t, path, table.Header{}, rows)
}
