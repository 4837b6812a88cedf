package table_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/table"
)

// TestKinds creates, opens and detects a table of each kind without naming any.
func TestKinds(t *testing.T) {
	if len(table.Kinds()) != 5 {
		t.Errorf("kinds %v", table.Kinds())
	}
	for _, kind := range table.Kinds() {
		path := filepath.Join(t.TempDir(), "t.arrow")
		w, err := table.CreateAny(kind, path, table.Header{Stage: "s"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := table.OpenAny(path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Header().Kind != kind || kind.NewRow().RowKind() != kind || kind.Key() == "" {
			t.Errorf("%s: opened as %s, row %T, key %q", kind, r.Header().Kind, kind.NewRow(), kind.Key())
		}
		r.Close()
	}
	if _, err := table.CreateAny("herds", "none", table.Header{}); err == nil || !strings.Contains(err.Error(), "samples") {
		t.Errorf("an unknown kind: got error %v", err)
	}
	if w, err := table.CreateAny(table.Chats, filepath.Join(t.TempDir(), "no", "folder"), table.Header{}); err == nil || w != nil {
		t.Errorf("no folder: got %v, %v", w, err)
	}
}
