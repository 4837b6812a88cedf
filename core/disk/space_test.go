package disk

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckSpace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	if err := CheckSpace(dir, 1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	if have, _ := freeSpace(os.TempDir()); have == math.MaxUint64 {
		t.Skip("this system does not tell its free space")
	}
	err := CheckSpace(dir, math.MaxInt64)
	for _, want := range []string{"9.22 EB needed", "free: make room", filepath.Dir(filepath.Dir(filepath.Dir(dir)))} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
