package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestPages writes a page of every table; with HERD_PAGES=DIR also to files, to
// look at.
func TestPages(t *testing.T) {
	dir := os.Getenv("HERD_PAGES")
	for name, rows := range tables() {
		r := build(Options{Title: "samples of " + name + ".arrow"}, rows)
		var html bytes.Buffer
		if err := r.WriteHTML(&html); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if dir == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name+".html"), html.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
