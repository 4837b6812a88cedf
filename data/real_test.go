package data

import (
	"os"
	"path/filepath"
	"testing"
)

func TestImportRealFiles(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("needs ../shared/data beside the repository")
	}
	ms, _ := filepath.Glob(root + "/*/*.json*")
	ts, _ := filepath.Glob(root + "/pretrain/*.txt*")
	for _, m := range append(ms, ts...) {
		dst := filepath.Join(t.TempDir(), "x.arrow")
		r, err := Import(dst, []string{m}, ImportSettings{})
		if err != nil {
			t.Log(err)
			continue
		}
		t.Logf("%s\n%v", m, r)
	}
}
