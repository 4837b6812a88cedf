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

// TestFilesAreAsBefore pins the bytes of tables without extra columns: runs identify their inputs
// by digests of files, so a change of herd's own columns ends all runs that are not finished.
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
		"chats":       "fbb1333783b94a67064aa6701ff0c8a11a0fd2353f04596fd7a1dad01b46433a",
		"preferences": "b8e1bfa5d0f54f49047a3b66858b3a57b9927999eedcc8dbbc0993094c505916",
		"samples":     "ea6a461ecb6cdedadc61e0566d66b11150d3cbdb10fa63a6a8c03432af48f666",
		"empty":       "b89d402a97b68ab4d062f84e59cbef945e826204369974f20f1053fd9ce1d08a",
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
