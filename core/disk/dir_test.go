package disk_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// generation writes a checkpoint whose files all hold n.
func generation(n int) func(string) error {
	return func(tmp string) error {
		tensors := []checkpoint.Tensor{{Name: "n", Shape: []int{1}, Data: []float32{float32(n)}}, {Name: "filler", Shape: []int{5000}, Data: make([]float32, 5000)}}
		return errors.Join(
			checkpoint.Write(filepath.Join(tmp, checkpoint.ModelName), tensors, nil),
			checkpoint.WriteTraining(tmp, n, []checkpoint.Tensor{{Name: "m", Data: []float32{float32(n)}}}),
			run.WriteManifest(tmp, run.Manifest{Stage: "test", Step: n}),
		)
	}
}

// readGeneration opens a checkpoint as its users do and returns n, which must be the same in
// all files.
func readGeneration(dir string) (int, error) {
	m, err := checkpoint.OpenModel(dir)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	var n, moment [1]float32
	var state int
	manifest, err := run.ReadManifest(dir)
	if err != nil {
		return 0, err
	}
	moments, err := checkpoint.OpenTraining(dir, &state)
	if err != nil {
		return 0, err
	}
	defer moments.Close()
	err = errors.Join(m.Read("n", n[:]), m.Read("filler", make([]float32, 5000)), moments.Read("m", moment[:]))
	if err == nil && (manifest.Step != state || float32(state) != n[0] || n != moment) {
		err = fmt.Errorf("a mixture: manifest %d, state %d, model %g, moment %g", manifest.Step, state, n[0], moment[0])
	}
	return state, err
}

// swaps are the ways to exchange two directories.
var swaps = map[string]func(a, b string) error{
	"in one step":  disk.Exchange,
	"in two steps": func(a, b string) error { return errors.ErrUnsupported },
}

func TestWriteDir(t *testing.T) {
	for name, how := range swaps {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "run", "model")
			for n := range 3 {
				if err := disk.WriteDirBy(dir, generation(n), how); err != nil {
					t.Fatal(err)
				}
				if got, err := readGeneration(dir); err != nil || got != n {
					t.Fatalf("generation %d, %v, want %d", got, err, n)
				}
			}
			onlyEntry(t, filepath.Dir(dir), "model")
		})
	}
}

func onlyEntry(t *testing.T, dir, want string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != want {
		t.Errorf("%s holds %v (%v), want %s only", dir, entries, err, want)
	}
}

func TestWriteDirFails(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "model")
	if err := disk.WriteDir(dir, generation(1)); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := disk.WriteDir(dir, func(tmp string) error {
		return errors.Join(os.WriteFile(filepath.Join(tmp, run.ManifestName), nil, 0o666), full)
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want %v and the path", err, full)
	}
	broken := errors.New("input/output error")
	if err := disk.WriteDirBy(dir, generation(2), func(a, b string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if n, err := readGeneration(dir); n != 1 || err != nil {
		t.Errorf("generation %d, %v, want the old one", n, err)
	}
	onlyEntry(t, parent, "model")
}

// If the second rename fails, swapInTwo undoes the first.
func TestSwapInTwoUndoes(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "model")
	if err := disk.WriteDir(dir, generation(1)); err != nil {
		t.Fatal(err)
	}
	if err := disk.SwapInTwo(filepath.Join(parent, "missing"), dir, disk.Sibling(dir, "replaced")); err == nil {
		t.Error("a missing directory took a name")
	}
	if n, err := readGeneration(dir); n != 1 || err != nil {
		t.Errorf("generation %d, %v, want the old one", n, err)
	}
}

func TestRecover(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	if err := disk.WriteDir(dir, generation(1)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, disk.Sibling(dir, "replaced")); err != nil { // where two steps are cut in half
		t.Fatal(err)
	}
	if n, err := readGeneration(dir); n != 1 || err != nil {
		t.Errorf("generation %d, %v, want the one moved aside", n, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := disk.Recover(dir); err != nil {
		t.Errorf("nothing to recover: %v", err)
	}
}

func TestWriteDirKeepsForeignDirectories(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	thesis := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(thesis, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{dir, thesis} {
		called := false
		err := disk.WriteDir(target, func(string) error { called = true; return nil })
		if err == nil || !strings.Contains(err.Error(), target) || called {
			t.Errorf("error %v, written %t: want an error with the path, before anything is written", err, called)
		}
	}
	if !disk.Exists(thesis) {
		t.Error("replaced a directory without a manifest")
	}
	if err := os.Remove(thesis); err != nil {
		t.Fatal(err)
	}
	if err := disk.WriteDir(dir, generation(1)); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestWriteDirThroughLink(t *testing.T) {
	parent := t.TempDir()
	real, link := filepath.Join(parent, "disk", "model"), filepath.Join(parent, "link")
	if err := disk.WriteDir(real, generation(1)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no links here: ", err)
	}
	if err := disk.WriteDir(link, generation(2)); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != real {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if n, err := readGeneration(real); n != 2 || err != nil {
		t.Errorf("generation %d, %v, want the new one", n, err)
	}
}

func TestWriteDirWithoutPermission(t *testing.T) {
	parent := t.TempDir()
	if err := os.Chmod(parent, 0o555); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Create(filepath.Join(parent, "probe")); err == nil {
		f.Close()
		t.Skip("this user may write everywhere")
	}
	dir := filepath.Join(parent, "model")
	if err := disk.WriteDir(dir, generation(1)); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want one about permission with the path", err)
	}
}

// TestWriteForever is the process that TestKilled kills. It prints each generation that it
// has finished.
func TestWriteForever(t *testing.T) {
	dir, swap := os.Getenv("HERD_TEST_WRITE"), swaps[os.Getenv("HERD_TEST_SWAP")]
	if dir == "" {
		t.Skip("runs in a process of its own, started by TestKilled")
	}
	fmt.Println("ready")
	from, _ := strconv.Atoi(os.Getenv("HERD_TEST_FROM"))
	for n := from; ; n++ {
		if err := disk.WriteDirBy(dir, generation(n), swap); err != nil {
			fmt.Println("failed", err)
			return
		}
		fmt.Println("done", n)
	}
}

// A writer that is killed at any moment leaves the last generation that it finished or the
// one that it was about to finish.
func TestKilled(t *testing.T) {
	for name := range swaps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "model")
			if err := disk.WriteDir(dir, generation(0)); err != nil {
				t.Fatal(err)
			}
			last, moved := 0, 0
			for round := range 24 {
				after := []string{"ready", "done"}[round%2]
				done := killWriter(t, dir, name, last+1, after)
				n, err := readGeneration(dir)
				if err != nil || n != max(done, last) && n != max(done, last)+1 {
					t.Fatalf("generation %d, %v, after %d was finished", n, err, max(done, last))
				}
				if n > last {
					moved++
				}
				last = n
			}
			if moved == 0 {
				t.Error("no writer got as far as to replace anything: the test shows nothing")
			}
		})
	}
}

// killWriter runs a writer, kills it some time after its first output, and returns the last
// generation that it reported, or 0.
func killWriter(t *testing.T, dir, swap string, from int, after string) (done int) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestWriteForever$", "-test.v")
	c.Env = slices.Concat(os.Environ(), []string{"HERD_TEST_WRITE=" + dir, "HERD_TEST_SWAP=" + swap, "HERD_TEST_FROM=" + strconv.Itoa(from)})
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		time.AfterFunc(rand.N(50*time.Millisecond), func() { c.Process.Kill() })
	})
	for s := bufio.NewScanner(out); s.Scan(); {
		if strings.HasPrefix(s.Text(), "failed") {
			t.Error(s.Text())
		}
		if strings.HasPrefix(s.Text(), after) {
			kill()
		}
		fmt.Sscanf(s.Text(), "done %d", &done)
	}
	c.Wait() // killed, so it fails
	return done
}
