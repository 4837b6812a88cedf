package rejection

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/data/table"
)

// childEnv names the settings, in JSON, that the test binary is to run as a process
// of its own.
const childEnv = "HERD_TEST_REJECTION"

// TestChild is no test: it is the process that others start and kill.
func TestChild(t *testing.T) {
	text := os.Getenv(childEnv)
	if text == "" {
		t.Skip("not started by another test")
	}
	var s Settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	slowly := func(Progress) { time.Sleep(2 * time.Millisecond) }
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, PartSamples: 7, Report: slowly}); err != nil {
		t.Fatal(err)
	}
}

// child returns a process that goes on with the run.
func child(t *testing.T, ctx context.Context, s Settings) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	return cmd
}

// stored returns the responses that lie in a directory, by prompt and number, and
// reports any that was drawn twice.
func stored(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	paths, err := filepath.Glob(filepath.Join(dir, "parts", "*.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		for row, err := range table.Scan[table.Sample](path) {
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range row.Candidates {
				name := fmt.Sprintf("%s/%d", row.Parents[0], c.K)
				if found[name] != "" {
					t.Errorf("%s was drawn again: it lies in %s", name, path)
				}
				found[name] = fmt.Sprintf("%q %v %d", c.Text, c.IDs, c.Seed)
			}
		}
	}
	return found
}

// killed starts a process that continues the run and kills it when it has written up to
// five parts more, or sooner. It waits for parts and not for a time, because on a busy
// machine a process may take long to begin.
func killed(t *testing.T, s Settings, rng *rand.Rand) {
	t.Helper()
	cmd := child(t, t.Context(), s)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	parts := func() int {
		paths, err := filepath.Glob(filepath.Join(s.Out, "parts", "*.arrow"))
		if err != nil {
			t.Fatal(err)
		}
		return len(paths)
	}
	enough := parts() + rng.IntN(6)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for parts() < enough {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v\n%s", err, out.Bytes())
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
	time.Sleep(time.Duration(rng.Int64N(int64(20 * time.Millisecond))))
	cmd.Process.Kill()
	<-ended
}

// TestKill kills a run at 20 random moments: nothing that was drawn is lost or drawn
// again, and the files are those of a run that nobody killed.
func TestKill(t *testing.T) {
	s := fixture(t, 150)
	s.Samples, s.Slots = 4, 4
	whole := s
	whole.Out += "-whole"
	if err := Run(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	before := stored(t, s.Out)
	amid := 0 // kills between the first sample and the last
	for range 20 {
		killed(t, s, rng)
		after := stored(t, s.Out)
		for name, c := range before {
			if len(after) > 0 && after[name] != c {
				t.Errorf("%s was lost, or is another", name)
			}
		}
		if len(after) > len(before) && len(after) < 600 {
			amid++
		}
		before = after
	}
	t.Logf("of 20 kills %d were amid the samples, of which %d of 600 were there then", amid, len(before))
	if amid < 4 {
		t.Errorf("%d of 20 kills were amid the samples: the test shows nothing", amid)
	}
	if out, err := child(t, t.Context(), s).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(written(t, whole.Out), written(t, s.Out)) {
		t.Error("the files differ from those of a run that nobody killed")
	}
	if names := listing(t, s.Out); !maps.Equal(names, listing(t, whole.Out)) {
		t.Errorf("left in the directory: %v", names)
	}
}

func listing(t *testing.T, dir string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names
}

// TestStoppedAtTheEnd stops a run after each of the steps that make its files, also
// one that goes on from fewer, from more, and from other samples.
func TestStoppedAtTheEnd(t *testing.T) {
	s := fixture(t, 12)
	want := make(map[int][]byte)
	for _, samples := range []int{2, 3} {
		whole := s
		whole.Samples, whole.Out = samples, fmt.Sprint(s.Out, "-", samples)
		if err := Run(t.Context(), whole, Options{}); err != nil {
			t.Fatal(err)
		}
		want[samples] = written(t, whole.Out)
	}
	for steps := range 6 {
		dir := s.Out + fmt.Sprint("-after-", steps)
		for _, samples := range []int{2, 3, 2, 3} {
			part := s
			part.Out, part.Samples = dir, samples
			stopAfter(t, part, steps)
			if err := Run(t.Context(), part, Options{Mode: run.Mode{Resume: true}}); err != nil {
				t.Fatalf("stopped after %d steps: %v", steps, err)
			}
			if !bytes.Equal(written(t, dir), want[samples]) {
				t.Errorf("%d samples, stopped after %d steps: other files", samples, steps)
			}
		}
	}
}

// stopAfter does what Run does, up to some of the last steps.
func stopAfter(t *testing.T, s Settings, steps int) {
	t.Helper()
	r := begin(t, s)
	defer r.claim.Release()
	all := append([]func() error{
		func() error { return r.rescore(t.Context()) },
		func() error { return r.draw(t.Context()) },
	}, r.finish()...)
	if err := inOrder(all[:2+steps]...); err != nil {
		t.Fatal(err)
	}
}

// begin returns a run that is about to draw.
func begin(t *testing.T, s Settings) *session {
	t.Helper()
	m, err := s.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	r := &session{Settings: s, Options: Options{Mode: run.Mode{Resume: true}, PartSamples: 5, PartEvery: time.Hour}, manifest: m, identity: s.identify(m.Inputs)}
	if r.prompts, _, err = loadPrompts(s); err != nil {
		t.Fatal(err)
	}
	if err := inOrder(r.claimDir, r.openModels, r.checkPrompts, r.begin, r.findStored); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestLock: of two processes in one directory the second is refused.
func TestLock(t *testing.T) {
	s := fixture(t, 30)
	if err := os.Mkdir(s.Out, 0o777); err != nil {
		t.Fatal(err)
	}
	held, err := run.LockDir(s.Out)
	if err != nil {
		t.Fatal(err)
	}
	out, err := child(t, t.Context(), s).CombinedOutput()
	if err == nil || !strings.Contains(string(out), fmt.Sprintf("is in use by process %d on ", os.Getpid())) {
		t.Errorf("beside another process: %v\n%s", err, out)
	}
	held.Release()
	if out, err := child(t, t.Context(), s).CombinedOutput(); err != nil {
		t.Errorf("after it: %v\n%s", err, out)
	}
}

// TestMoreAndFewer: more samples keep the first ones, fewer are the first ones, and
// what was drawn once is not drawn again.
func TestMoreAndFewer(t *testing.T) {
	s := fixture(t, 12)
	s.Pick.CutOff = true
	want := make(map[int][]byte)
	for _, samples := range []int{1, 2, 4} {
		whole := s
		whole.Samples, whole.Out = samples, fmt.Sprint(s.Out, samples)
		if err := Run(t.Context(), whole, Options{}); err != nil {
			t.Fatal(err)
		}
		want[samples] = written(t, whole.Out)
	}
	for i, c := range []struct{ samples, limit, drawn int }{{2, 0, 24}, {4, 0, 24}, {2, 0, 0}, {1, 3, 0}, {4, 0, 0}, {1, 0, 0}, {2, 0, 0}} {
		s.Samples, s.Limit = c.samples, c.limit
		var got Summary
		if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, Summarise: func(sum Summary) { got = sum }}); err != nil {
			t.Fatal(err)
		}
		if got.Drawn != c.drawn {
			t.Errorf("run %d drew %d samples, want %d", i, got.Drawn, c.drawn)
		}
		if c.limit == 0 && !bytes.Equal(written(t, s.Out), want[c.samples]) {
			t.Errorf("run %d, of %d samples, wrote other files", i, c.samples)
		}
	}
}
