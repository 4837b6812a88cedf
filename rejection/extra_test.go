package rejection

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/table"
)

// TestExtraColumns: the extra columns of a prompt are those of its samples, chats and
// preference, and where there is no row the columns are there all the same.
func TestExtraColumns(t *testing.T) {
	s := fixture(t, 12)
	rows, _, err := table.ReadAll[table.Chat](s.Prompts[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].Extra.SetNumber("difficulty", float64(i))
		rows[i].Extra.SetTexts("tags", []string{fmt.Sprint(i)})
	}
	if err := table.WriteAll(s.Prompts[0], table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	numbers := make(map[string]int)
	for i, row := range rows {
		numbers[row.Messages[0].Content] = i
	}
	if err := Run(t.Context(), s, Options{PartSamples: 4}); err != nil {
		t.Fatal(err)
	}
	check := func(x table.Extra, question string) {
		t.Helper()
		n, _ := x.Number("difficulty")
		tags, _ := x.Texts("tags")
		if want := numbers[question]; n != float64(want) || len(tags) != 1 || tags[0] != fmt.Sprint(want) {
			t.Errorf("%s has difficulty %g and tags %v", question, n, tags)
		}
	}
	samples, _, err := table.ReadAll[table.Sample](filepath.Join(s.Out, SamplesFile))
	if err != nil || len(samples) != len(rows) {
		t.Fatal(len(samples), err)
	}
	for _, row := range samples {
		check(row.Extra, row.Prompt[0].Content)
	}
	chats, _, err := table.ReadAll[table.Chat](filepath.Join(s.Out, ChatsFile))
	if err != nil || len(chats) == 0 {
		t.Fatal(len(chats), err)
	}
	for _, row := range chats {
		check(row.Extra, row.Messages[0].Content)
	}
	pairs, _, err := table.ReadAll[table.Preference](filepath.Join(s.Out, PreferencesFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range pairs {
		check(row.Extra, row.Prompt[0].Content)
	}
	s.MinScoreGap, s.Out = 1e9, s.Out+"-none"
	if err := Run(t.Context(), s, Options{}); err != nil {
		t.Fatal(err)
	}
	columns, err := table.ColumnsOf(filepath.Join(s.Out, PreferencesFile))
	if err != nil || len(columns[0].Names()) != 2 {
		t.Errorf("a table of no preferences has the extra columns %v, %v", columns, err)
	}
}

// TestRefusesExtraColumns: a column that could not be written is refused before anything
// is drawn.
func TestRefusesExtraColumns(t *testing.T) {
	s := fixture(t, 1)
	rows, _, err := table.ReadAll[table.Chat](s.Prompts[0])
	if err != nil {
		t.Fatal(err)
	}
	rows[0].Extra.SetText("reference", "42")
	if err := table.WriteAll(s.Prompts[0], table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	if _, _, err := loadPrompts(s); err == nil || !strings.Contains(err.Error(), "herd's column reference") {
		t.Errorf("got error %v", err)
	}
}

// TestRefusesColumnsOfTwoTypes: tables whose extra columns fit into no table together are
// refused before anything is drawn.
func TestRefusesColumnsOfTwoTypes(t *testing.T) {
	s := fixture(t, 2)
	rows, _, err := table.ReadAll[table.Chat](s.Prompts[0])
	if err != nil {
		t.Fatal(err)
	}
	s.Prompts = nil
	for i := range rows {
		if rows[i].Extra.SetText("level", "high"); i > 0 {
			rows[i].Extra.SetNumber("level", 3)
		}
		s.Prompts = append(s.Prompts, filepath.Join(t.TempDir(), "prompts.arrow"))
		if err := table.WriteAll(s.Prompts[i], table.Header{}, rows[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := loadPrompts(s); err == nil || !strings.Contains(err.Error(), s.Prompts[1]+": column level: is utf8 in some rows and float64 in others") {
		t.Errorf("got error %v", err)
	}
}
