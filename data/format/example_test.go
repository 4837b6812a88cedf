package format_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
)

func ExampleImport() {
	dir, err := os.MkdirTemp("", "format")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pairs, out := filepath.Join(dir, "pairs.jsonl"), filepath.Join(dir, "pairs.arrow")
	row := `{"prompt": "What runs there?", "chosen": "The river.", "rejected": "Who knows?"}`
	if err := os.WriteFile(pairs, []byte(row), 0o666); err != nil {
		log.Fatal(err)
	}
	report, err := format.Import(out, []string{pairs}, format.ImportSettings{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Rows, report.Kind)
	for row, err := range table.Scan[table.Preference](out) {
		fmt.Println(row.Chosen[0].Content, err)
	}
	// Output:
	// 1 preferences
	// The river. <nil>
}
