// Package realdata finds the data sets that may lie beside the repository, for tests
// that compare with real files.
package realdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file or folder below shared/ beside the repository. The test
// skips, and says so, where it is absent.
func Path(t testing.TB, below ...string) string {
	t.Helper()
	path := Beside(t, below...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs %s beside the repository", filepath.Join(append([]string{"shared"}, below...)...))
	}
	return path
}

// Beside returns the path without looking whether there is anything.
func Beside(t testing.TB, below ...string) string {
	return filepath.Join(append([]string{root(t), "..", "shared"}, below...)...)
}

// root returns the folder of go.mod, above the package that is tested.
func root(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above the tested package")
		}
	}
}
