package disk

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	content := func() string {
		b, _ := os.ReadFile(path)
		return string(b)
	}
	begin := func(text string) *File {
		t.Helper()
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := begin("first"), begin("second")
	if content() != "" {
		t.Error("the file is there before Commit")
	}
	if err := first.Commit(); err != nil || content() != "first" {
		t.Errorf("committed %q, %v", content(), err)
	}
	if err := second.Abort(); err != nil || content() != "first" {
		t.Errorf("after Abort %q, %v", content(), err)
	}
	third := begin("third")
	third.Close() // stands for a disk that fails
	if err := third.Commit(); err == nil || content() != "first" {
		t.Errorf("after a failed Commit %q, %v", content(), err)
	}
	if err := third.Abort(); err != nil {
		t.Error(err)
	}
	left, _ := os.ReadDir(dir)
	if info, _ := os.Stat(path); len(left) != 1 || info.Mode().Perm()&0o044 == 0 {
		t.Errorf("left %v, mode %v", left, info.Mode())
	}
}
