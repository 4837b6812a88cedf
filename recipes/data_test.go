package recipes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/table"
)

// TestPartsKeepExtraColumns: the parts of an import have its extra columns, even a part
// without rows.
func TestPartsKeepExtraColumns(t *testing.T) {
	dir := t.TempDir()
	var lines strings.Builder
	for i := range 40 {
		fmt.Fprintf(&lines, `{"id": "%032x", "text": "t%d", "extra": {"score": %d.5, "tags": ["a"]}}`+"\n", i, i, i)
	}
	file := filepath.Join(dir, "in.jsonl")
	if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	parts := []Part{{"most", 0.5}, {"rest", 0.4999999}, {"none", 1e-9}}
	m := Import{Name: "docs", Files: []string{file}, Kind: table.Documents, Parts: parts}
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, p := range parts {
		path := filepath.Join(dir, "docs-"+p.Name+".arrow")
		rows, _, err := table.ReadAll[table.Document](path)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if n, _ := row.Extra.Number("score"); fmt.Sprintf("t%g", n-0.5) != row.Text {
				t.Errorf("%s has score %g", row.Text, n)
			}
		}
		columns, err := table.ColumnsOf(path)
		if err != nil || strings.Join(columns[0].Names(), " ") != "score tags" {
			t.Errorf("part %s has extra columns %v, %v", p.Name, columns[0].Names(), err)
		}
		total += len(rows)
	}
	if total != 40 {
		t.Errorf("the parts have %d rows, want 40", total)
	}
}
