package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/internal/testmodel"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"herd": main,
		"tiny": func() { os.Exit(tiny(os.Args[1:])) },
		"ask":  func() { os.Exit(ask(os.Args[1:])) },
	})
}

// TestScripts runs testdata/script/*.txtar: what a person types, what comes out.
// There, next to herd and testscript's own commands, are
//
//	tiny [-reward] [-no-template] [-seed=N] DIR   writes a small random model with a tokenizer
//	ask FILE PATH [BODY]           prints what the server whose URL is in a file answers
//	code N CMD...        runs a command that must exit with N
//	await FILE           waits until there is something in a file
//	truncate FILE N      cuts a file to N bytes
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "await": await, "truncate": truncate,
		},
	})
}

// tinyText is what the tokenizer of tiny models is trained on.
var tinyText = strings.Repeat("the herd moves over the hills where the grass is green and the river runs; one follows another, and none is alone. ", 2)

// ask sends a request to the server whose URL is in a file, with the key in $KEY.
func ask(args []string) int {
	at, err := os.ReadFile(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	method, body := http.MethodGet, ""
	if len(args) > 2 {
		method, body = http.MethodPost, args[2]
	}
	request, err := http.NewRequest(method, strings.TrimSpace(string(at))+args[1], strings.NewReader(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	_, _ = io.Copy(os.Stdout, response.Body)
	return 0
}

// tiny writes a model directory: 300 tokens, 2 layers of width 32, 64 positions.
func tiny(args []string) int {
	flags := flag.NewFlagSet("tiny", flag.ExitOnError)
	reward, seed := flags.Bool("reward", false, ""), flags.Uint64("seed", 1, "")
	bare := flags.Bool("no-template", false, "")
	_ = flags.Parse(args) // exits
	if err := writeSeeded(flags.Arg(0), *reward, *bare, *seed); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func writeTiny(dir string, reward bool) error { return writeSeeded(dir, reward, false, 1) }

func writeSeeded(dir string, reward, bare bool, seed uint64) error {
	tok, err := tokenizer.Train(slices.Values([]string{tinyText}), tokenizer.TrainSettings{VocabSize: 300})
	if err != nil {
		return err
	}
	if bare {
		tok = tok.WithTemplate(tokenizer.Template{})
	}
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 32, Intermediate: 48, Layers: 2, Heads: 2, Positions: 64, InitRange: 0.3}.Config()
	c.EOS = model.IntSet{int(tok.EOS()), int(tok.EOT())}
	if reward {
		c = c.Reward()
	}
	p, err := model.New(c)
	if err != nil {
		return err
	}
	p.Init(seed)
	if reward {
		for i := range p.Score.W {
			p.Score.W[i] = float32(i%3 - 1)
		}
	}
	return testmodel.Save(dir, p, tok)
}

func code(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	for start := time.Now(); time.Since(start) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("%s did not come", path)
}

func truncate(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

func TestExitCode(t *testing.T) {
	stopped := &run.Interrupted{Dir: "out", Step: 1, Steps: 2, Cause: context.Canceled}
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"success", nil, 0},
		{"failure", errors.New("no such file"), exitFailed},
		{"misuse", fmt.Errorf("chat: %w", &usageError{"herd chat", "no"}), exitMisused},
		{"a stage stopped", fmt.Errorf("sft: %w", stopped), exitInterrupted},
		{"anything else stopped", fmt.Errorf("sample: %w", context.Canceled), exitInterrupted},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.want)
		}
	}
}

func TestThreads(t *testing.T) {
	t.Cleanup(func() { kernel.SetThreads(0) })
	root := newRootCmd()
	root.SetArgs([]string{"version", "--threads", "3"})
	root.SetOut(io.Discard)
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	if got := kernel.Threads(); got != 3 {
		t.Errorf("%d threads, want 3", got)
	}
}

// TestCommandsHaveExamples holds every command to what help must have.
func TestCommandsHaveExamples(t *testing.T) {
	root := newRootCmd()
	for _, c := range append(root.Commands(), root) {
		for _, c := range append(c.Commands(), c) {
			if c.Short == "" || !strings.Contains(c.Example, "herd") {
				t.Errorf("%s has no example or no short help", c.CommandPath())
			}
			if lines := strings.Count(c.Long, "\n"); lines > 14 {
				t.Errorf("%s: %d lines of help: too long to read", c.CommandPath(), lines)
			}
		}
	}
}

// TestScriptsCoverCommands finds commands that no script runs.
func TestScriptsCoverCommands(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var scripts strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(b)
	}
	for _, c := range newRootCmd().Commands() {
		for _, c := range append(c.Commands(), c) {
			if !strings.Contains(scripts.String(), c.CommandPath()+" ") {
				t.Errorf("no script runs %q", c.CommandPath())
			}
		}
	}
}
