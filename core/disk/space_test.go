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
	for _, want := range []string{"9.2 EB needed", "free: make room", filepath.Dir(filepath.Dir(filepath.Dir(dir)))} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 1500000: "1.5 MB", math.MaxUint64: "18.4 EB"} {
		if got := size(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
