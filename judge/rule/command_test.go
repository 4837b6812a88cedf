package rule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/judge"
)

// TestMain lets the test's own binary be the command that judges.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "judge" {
		grader(os.Args[2], os.Args[3:])
		return
	}
	os.Exit(m.Run())
}

func grader(as string, args []string) {
	switch as {
	case "exit":
		var code int
		fmt.Sscan(args[0], &code)
		fmt.Fprint(os.Stderr, "trace\nat the end\n")
		os.Exit(code)
	case "say":
		fmt.Print(strings.Join(args[1:], "\n"))
		if args[0] == "wrong" {
			os.Exit(1)
		}
	case "input":
		var in commandInput
		text, _ := io.ReadAll(os.Stdin)
		if err := json.Unmarshal(text, &in); err != nil {
			panic(err)
		}
		note := fmt.Sprintf("%s %s %q %s %v", in.ID, in.Prompt[0].Content, in.Response, in.Reference, in.Meta)
		json.NewEncoder(os.Stdout).Encode(map[string]any{"note": note})
	case "secret":
		fmt.Printf("secret %q, path %t", os.Getenv("HERD_TEST_SECRET"), os.Getenv("PATH") != "")
	case "loud":
		for range 100 {
			fmt.Println(strings.Repeat("x", 10_000))
		}
		fmt.Println(`{"score": 0.25}`)
	case "endless":
		fmt.Print("{", strings.Repeat(" ", 100_000), "}")
	case "leave": // a child that holds the output, and end or wait for it
		child := exec.Command(os.Args[0], "judge", "beat", args[1])
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		for _, err := os.Stat(args[1]); err != nil; _, err = os.Stat(args[1]) {
			time.Sleep(time.Millisecond)
		}
		if args[0] == "waiting" {
			child.Wait()
		}
	case "beat":
		for range 3000 {
			f, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
			if err != nil {
				return
			}
			f.WriteString(".")
			f.Close()
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// judging returns settings of a command that is this program.
func judging(t testing.TB, as string, args ...string) Settings {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Settings{Kind: Command, Command: append([]string{self, "judge", as}, args...), Timeout: 600}
}

func promptOf(question string) []chat.Message {
	return []chat.Message{{Role: "user", Content: question}}
}

// said returns a verdict.
func said(correct bool, score float64, note string) judge.Verdict {
	return judge.Verdict{Correct: judge.CorrectIf(correct), Score: score, Note: note}
}

func TestCommand(t *testing.T) {
	t.Setenv("HERD_TEST_SECRET", "1234")
	telling := judging(t, "secret")
	telling.Env = []string{"HERD_TEST_SECRET"}
	row := judge.Question{
		ID: "7", Prompt: promptOf("What?"),
		Meta: map[string]string{"answer": "it", "class": "a"}, Reference: "that",
	}
	for _, c := range []struct {
		name     string
		settings Settings
		want     judge.Verdict
	}{
		{"exit code 0", judging(t, "exit", "0"), said(true, 1, "")},
		{"exit code 1", judging(t, "exit", "1"), said(false, 0, "at the end")},
		{"words, right", judging(t, "say", "right", "one", "two", ""), said(true, 1, "two")},
		{"words, wrong", judging(t, "say", "wrong", "two"), said(false, 0, "two")},
		{"all", judging(t, "say", "right", "log", `{"score":0.5,"correct":true,"note":"half"}`), said(true, 0.5, "half")},
		{"a score", judging(t, "say", "right", `{"score":0.99}`), said(false, 0.99, "")},
		{"the full score", judging(t, "say", "wrong", `{"score":1}`), said(true, 1, "")},
		{"correct", judging(t, "say", "wrong", `{"correct":true}`), said(true, 1, "")},
		{"not correct", judging(t, "say", "right", `{"correct":false, "note":"no"}`), said(false, 0, "no")},
		{"a note, wrong", judging(t, "say", "wrong", `{"note":"bad"}`), said(false, 0, "bad")},
		{"input", judging(t, "input"), said(true, 1, `7 What? "a\nb<" it map[answer:it class:a]`)},
		{"environment", judging(t, "secret"), said(true, 1, `secret "", path true`)},
		{"named environment", telling, said(true, 1, `secret "1234", path true`)},
		{"much output", judging(t, "loud"), said(false, 0.25, "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if o := outcome(t, c.settings, row, "a\nb<"); o != c.want {
				t.Errorf("%+v, want %+v", o, c.want)
			}
		})
	}
	// A command need not read what it gets.
	if o := outcome(t, judging(t, "exit", "0"), row, strings.Repeat("long ", 1<<20)); o.Correct != judge.Correct {
		t.Errorf("a long response: %+v", o)
	}
}

// TestCommandErrors: what could not be judged is no wrong answer.
func TestCommandErrors(t *testing.T) {
	for _, c := range []struct {
		settings Settings
		want     string
	}{
		{judging(t, "exit", "2"), "exit status 2: at the end"},
		{judging(t, "say", "right", `{"score":1.5}`), "a score of 1.5, expected 0 to 1, in the last line"},
		{judging(t, "say", "right", `{"scor":1}`), `unknown field "scor"`},
		{judging(t, "say", "right", `{"score":1}]`), "more than one JSON value"},
		{judging(t, "say", "right", `{"score":`), "unexpected EOF"},
		{judging(t, "endless"), "longer than 64 KiB"},
	} {
		checker, err := newRule(c.settings)
		if err != nil {
			t.Fatal(err)
		}
		o, err := checker.Verdict(t.Context(), judge.Question{ID: "7"}, judge.Answer{Text: "x"})
		if err == nil || !strings.Contains(err.Error(), "row 7: command ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %+v, error %v, want %q", c.settings.Command[2:], o, err, c.want)
		}
	}
	for _, c := range []struct {
		settings Settings
		want     string
	}{
		{Settings{Kind: Command, Command: []string{"no-such-program-of-herd"}}, "not found"},
		{Settings{Kind: Command, Command: []string{filepath.Join(t.TempDir(), "none")}}, "no such file"},
		{Settings{Kind: Command, Command: []string{"go"}, Env: []string{"HERD_TEST_NOT_SET"}}, "HERD_TEST_NOT_SET, which is not set"},
	} {
		if _, err := newRule(c.settings); err == nil || runtime.GOOS != "windows" && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.settings.Command, err, c.want)
		}
	}
}

// TestCommandTimeout: a response that the command does not come to an end with is
// wrong, and nothing that the command started is left.
func TestCommandTimeout(t *testing.T) {
	for _, as := range []string{"waiting", "ending"} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			heart := filepath.Join(t.TempDir(), "heart")
			s := judging(t, "leave", as, heart)
			if as == "waiting" {
				s.Timeout = 1
			}
			o := outcome(t, s, judge.Question{}, "x")
			if want := (judge.Verdict{Correct: judge.Wrong, Note: "no verdict within 1s"}); as == "waiting" && o != want || as == "ending" && o.Correct != judge.Correct {
				t.Errorf("%+v", o)
			}
			if runtime.GOOS == "windows" {
				return
			}
			before := beats(heart)
			time.Sleep(100 * time.Millisecond)
			if after := beats(heart); after != before {
				t.Errorf("a child lives: %d beats, then %d", before, after)
			}
		})
	}
}

// beats returns how often a child has shown that it lives.
func beats(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0 // it was killed before it began
	}
	return info.Size()
}

// TestCommandCancelled: the end of a run is no wrong answer either.
func TestCommandCancelled(t *testing.T) {
	checker, err := newRule(judging(t, "leave", "waiting", filepath.Join(t.TempDir(), "heart")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if o, err := checker.Verdict(ctx, judge.Question{}, judge.Answer{Text: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v, error %v", o, err)
	}
}

func FuzzVerdict(f *testing.F) {
	for _, text := range []string{`{"score":0.5}`, "log\n{\"correct\":true}\n\n", "{", "{}{}", `{"score":1e999}`, "\xff"} {
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, success bool) {
		var output tail
		for len(text) > 0 { // in pieces, as they come through a pipe
			n := min(len(text), 1000)
			output.Write(text[:n])
			text = text[n:]
		}
		if o, err := verdictOf(success, &output, &tail{}); err == nil && !(o.Score >= 0 && o.Score <= 1) {
			t.Errorf("%q: %+v", output.kept, o)
		}
	})
}
