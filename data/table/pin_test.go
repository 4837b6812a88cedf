package table_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testrows"
)

// TestFilesAreAsBefore checks that tables without extra columns have the bytes that they had
// before extra columns existed: runs identify their inputs by digests of files.
func TestFilesAreAsBefore(t *testing.T) {
	dir := t.TempDir()
	h := table.Header{Stage: "s", Seed: 7, Digests: table.Digests{"a", "b", "c", "d", "e", "f"}}
	r := testrows.New(21)
	testrows.Write(t, filepath.Join(dir, "documents"), h, testrows.Draw(1300, r.Document))
	testrows.Write(t, filepath.Join(dir, "chats"), h, testrows.Draw(1300, r.Chat))
	testrows.Write(t, filepath.Join(dir, "preferences"), h, testrows.Draw(1300, r.Preference))
	testrows.Write(t, filepath.Join(dir, "samples"), h, testrows.Draw(1300, r.Sample))
	testrows.Write(t, filepath.Join(dir, "empty"), table.Header{}, []table.Chat{})
	for name, want := range map[string]string{
		"documents":   "ec10253103e249c3bd4cf334f336ed07d97e33d37ce9308de7e8d9a6c506cb42",
		"chats":       "a9e9f284c7a7d3215c150f680e04fd94f26c6b46e1c8fb18a11eb165e2028a06",
		"preferences": "8ba221fbc176d2b93038fd2936d47256d7f76e9a2229da09152492d882954aa7",
		"samples":     "de69548fbaa8488640e733282614bfbe106d7d488b6af3079d7585153db43b6c",
		"empty":       "63d57525acb35cd17b7852e382bcb81fed6117e648eadef4dfa7fd0a3e9e74a9",
	} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != want {
			t.Errorf("%s: the file has digest %s, want %s", name, got, want)
		}
	}
}
