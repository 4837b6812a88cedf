package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

const source = `package p

func Larger(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func Half(a int) int { return a / 2 }
`

// TestFind: each kind of change is found where it stands.
func TestFind(t *testing.T) {
	mutants, err := inFile("p.go", []byte(source+"\nfunc Call(a, b int) { Larger(a, b); a += b; b++ }\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mutants {
		got = append(got, fmt.Sprintf("%d %s > %s", m.line, m.old, m.new))
	}
	want := []string{
		"4 a > b > !(a > b)", "4 > > >=", "10 / > *", "10 2 > 3",
		"12 Larger(a, b) > ", "12 a, b > b, a", "12 += > -=", "12 a += b > ", "12 ++ > --",
	}
	if !slices.Equal(got, want) {
		t.Errorf("mutants\n%q, want\n%q", got, want)
	}
}

// TestTry: a mutant is killed if the tests notice it, and the source stays as it was.
func TestTry(t *testing.T) {
	dir := t.TempDir()
	test := "package p\n\nimport \"testing\"\n\nfunc TestLarger(t *testing.T) {\n\tif Larger(1, 2) != 2 || Larger(2, 1) != 2 {\n\t\tt.Fatal()\n\t}\n}\n"
	for name, text := range map[string]string{"go.mod": "module p\n\ngo 1.26\n", "p.go": source, "p_test.go": test} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	mutants, err := find(dir)
	if err != nil {
		t.Fatal(err)
	}
	mutants = append(mutants, mutant{file: mutants[0].file, from: 0, to: 7, new: "pack"})
	var got []result
	for _, m := range mutants {
		r, err := try(t.Context(), dir, &m, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if want := []result{killed, survived, survived, survived, invalid}; !slices.Equal(got, want) {
		t.Errorf("results %q, want %q", got, want)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "p.go")); err != nil || string(b) != source {
		t.Errorf("the source was changed: %v", err)
	}
}
