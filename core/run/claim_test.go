package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClaimDir goes through everything that a directory can hold, and every mode.
func TestClaimDir(t *testing.T) {
	var (
		empty    = Contents{}
		stopped  = Contents{Holds: "a run that stopped", Resumable: true}
		other    = Contents{Holds: "a run that stopped", Resumable: true, Differs: true}
		changed  = Contents{Holds: "a run that stopped", Resumable: true, Differs: true, Changes: "seed was 1"}
		finished = Contents{Holds: "a model (herd.json)"}
	)
	fresh, resume, overwrite, both := Mode{}, Mode{Resume: true}, Mode{Overwrite: true}, Mode{true, true}
	const begins, resumes = "begins", "resumes"
	for _, c := range []struct {
		mode  Mode
		there Contents
		want  string // begins, resumes, or part of an *Occupied
	}{
		{fresh, empty, begins},
		{fresh, stopped, "holds a run that stopped: resume it, overwrite it"},
		{fresh, other, "holds a run that stopped: resume it, overwrite it"},
		{fresh, finished, "already holds a model (herd.json): choose another directory, or overwrite it"},
		{resume, empty, begins},
		{resume, stopped, resumes},
		{resume, other, "was made with other settings or data: use the same ones"},
		{resume, changed, "was made with other settings or data (seed was 1): use the same ones"},
		{resume, finished, "already holds a model (herd.json)"},
		{overwrite, empty, begins},
		{overwrite, stopped, begins},
		{overwrite, other, begins},
		{overwrite, finished, begins},
		{both, empty, begins},
		{both, stopped, resumes},
		{both, other, "was made with other settings or data"},
		{both, finished, begins},
	} {
		dir := filepath.Join(t.TempDir(), "runs", "out")
		claim, err := ClaimDir(dir, c.mode, func() (Contents, error) { return c.there, nil })
		got := begins
		var occupied *Occupied
		switch {
		case errors.As(err, &occupied):
			if got = err.Error(); strings.Contains(got, c.want) {
				got = c.want
			}
		case err != nil:
			t.Fatal(err)
		default:
			if claim.Resumed {
				got = resumes
			}
			claim.Release()
		}
		if got != c.want {
			t.Errorf("%+v, %+v: %s, want %s", c.mode, c.there, got, c.want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%+v, %+v: the directory holds %v, error %v", c.mode, c.there, left, err)
		}
	}
}

// TestClaimDirUnreadable: contents that cannot be read are an error, except where they are
// to be replaced.
func TestClaimDirUnreadable(t *testing.T) {
	dir, damaged := t.TempDir(), errors.New("damaged")
	for _, mode := range []Mode{{}, {Resume: true}, {true, true}} {
		if _, err := ClaimDir(dir, mode, func() (Contents, error) { return Contents{}, damaged }); !errors.Is(err, damaged) {
			t.Errorf("%+v: error %v", mode, err)
		}
	}
	claim, err := ClaimDir(dir, Mode{Overwrite: true}, func() (Contents, error) { return Contents{}, damaged })
	if err != nil || claim.Resumed {
		t.Fatalf("overwriting: %+v, %v", claim, err)
	}
	claim.Release()
}

// TestClaimDirInUse: nobody claims a directory that is claimed, whatever the mode.
func TestClaimDirInUse(t *testing.T) {
	dir := t.TempDir()
	nothing := func() (Contents, error) { return Contents{}, nil }
	claim, err := ClaimDir(dir, Mode{}, nothing)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []Mode{{}, {Resume: true}, {Overwrite: true}, {true, true}} {
		var busy *InUse
		if _, err := ClaimDir(dir, mode, nothing); !errors.As(err, &busy) || busy.Dir != dir || !strings.HasPrefix(busy.Holder, "process ") {
			t.Errorf("%+v: error %v", mode, err)
		}
	}
	claim.Release()
	if claim, err = ClaimDir(dir, Mode{}, nothing); err != nil {
		t.Fatal(err)
	}
	claim.Release()
}

// TestLockIsNoInput: a lock changes no digest of a folder.
func TestLockIsNoInput(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "poem.txt"), []byte("moor"), 0o666); err != nil {
		t.Fatal(err)
	}
	before, err := digestInput(dir)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if after, err := digestInput(dir); err != nil || after != before {
		t.Errorf("digest %s with a lock and %s without, error %v", after, before, err)
	}
}

// TestDiscard: a claim that is discarded leaves no empty folder that it made, and keeps all else.
func TestDiscard(t *testing.T) {
	top := t.TempDir()
	nothing := func() (Contents, error) { return Contents{}, nil }
	for _, c := range []struct {
		before, write string // folder to make first, file to write into the claimed one
		kept          []string
	}{
		{"", "", nil},
		{"a", "", []string{"a"}},
		{"a/b/c", "", []string{"a", "a/b", "a/b/c"}},
		{"a", "a/b/c/file", []string{"a", "a/b", "a/b/c"}},
	} {
		dir := filepath.Join(top, strings.ReplaceAll(c.before+c.write, "/", "-")+"x")
		if err := os.MkdirAll(filepath.Join(dir, c.before), 0o777); err != nil {
			t.Fatal(err)
		}
		claim, err := ClaimDir(filepath.Join(dir, "a", "b", "c"), Mode{}, nothing)
		if err != nil {
			t.Fatal(err)
		}
		if c.write != "" {
			if err := os.WriteFile(filepath.Join(dir, c.write), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		claim.Discard()
		for _, folder := range []string{"a", "a/b", "a/b/c"} {
			_, err := os.Stat(filepath.Join(dir, folder))
			if kept := strings.Contains(" "+strings.Join(c.kept, " ")+" ", " "+folder+" "); kept != (err == nil) {
				t.Errorf("%+v: %s: %v, want it kept: %t", c, folder, err, kept)
			}
		}
	}
}
