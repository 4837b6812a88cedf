package world

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/herd-lm/herd/data/table"
)

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "world")
	s := small(5)
	if err := Write(dir, s); err != nil {
		t.Fatal(err)
	}
	w, err := Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	same(t, filepath.Join(dir, DocumentsFile), w.Documents)
	same(t, filepath.Join(dir, HeldOutDocumentsFile), w.HeldOutDocuments)
	same(t, filepath.Join(dir, ChatsFile), w.Chats)
	same(t, filepath.Join(dir, PreferencesFile), w.Preferences)
	same(t, filepath.Join(dir, HeldOutPreferencesFile), w.HeldOutPreferences)
	same(t, filepath.Join(dir, PromptsFile), w.Prompts)
	same(t, filepath.Join(dir, HeldOutFile), w.HeldOut)
}

// same checks that the table at path has the rows, with ids filled in.
func same[T table.Row](t *testing.T, path string, want []T) {
	t.Helper()
	got, h, err := table.ReadAll[T](path)
	if err != nil {
		t.Fatal(err)
	}
	if h.Stage != Source || h.Seed != 5 {
		t.Errorf("%s has header %+v", path, h)
	}
	ids := map[string]bool{}
	for _, row := range want {
		id := table.ContentID(row)
		if ids[id] {
			t.Errorf("%s has two rows %s", path, id)
		}
		ids[id] = true
	}
	if d := cmp.Diff(got, want, ignoreID, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s:\n%s", path, d)
	}
}

// ignoreID ignores ids, which the writer fills in.
var ignoreID = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Origin.ID" }, cmp.Ignore())
