package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/eval"
	"github.com/herd-lm/herd/recipes"
)

func steps(d *display, n int) {
	for i := 1; i <= n; i++ {
		d.training(train.Progress{Stage: "sft", Step: i, Steps: n, Loss: 1 / float64(i), Metrics: map[string]float64{"b": 2, "a": 1}})
	}
}

func TestDisplayInAFile(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out, false)
	d.begin("sft")
	steps(d, 50)
	if err := d.end("dir", nil); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 3 { // the first step, the last, and what was written
		t.Fatalf("%d lines, want 3:\n%s", len(lines), out.String())
	}
	if !strings.HasPrefix(lines[1], "sft  step 50/50  loss 0.0200  lr ") || !strings.HasSuffix(lines[1], "  a 1  b 2") {
		t.Errorf("line %q", lines[1])
	}
	if strings.ContainsAny(out.String(), "\r\x1b") {
		t.Errorf("control characters in %q", out.String())
	}
}

// TestDisplayOfAPlan: what a run is going to be stays, on a terminal in the place
// of what was said before.
func TestDisplayOfAPlan(t *testing.T) {
	plan := train.Plan{Stage: "sft", Steps: 12, Parameters: 6660000, Memory: train.Memory{Planned: 402e6, Weights: 107e6, Activations: 238e6}}
	const line = "sft  12 steps  6.66M parameters  402 MB of memory, 238 MB of it activations\n"
	var file, terminal, lines bytes.Buffer
	newDisplay(&file, false).planned(plan)
	if got := file.String(); got != line {
		t.Errorf("in a file %q, want %q", got, line)
	}
	d := newDisplay(&terminal, false)
	d.width = func() int { return 30 }
	d.begin("sft")
	d.planned(plan)
	steps(d, 1)
	const want = "\rsft  reading model and data .\x1b[K\r\x1b[K" + line + "\rsft  step 1/1  loss 1.0000  l\x1b[K"
	if got := terminal.String(); got != want {
		t.Errorf("on a terminal %q, want %q", got, want)
	}
	newDisplay(&lines, true).planned(plan)
	const object = `{"stage":"sft","steps":12,"parameters":6660000,"memory":{"planned":402000000,"weights":107000000,"activations":238000000}}` + "\n"
	if got := lines.String(); got != object {
		t.Errorf("as JSON %q, want %q", got, object)
	}
}

func TestDisplayOfIntervals(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out, false)
	d.show(nil, "first", true)
	d.show(nil, "too soon", false)
	d.last = d.last.Add(-lineEvery)
	d.show(nil, "in time", false)
	if got, want := out.String(), "first\nin time\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDisplayOnATerminal(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out, false)
	d.width = func() int { return 30 }
	steps(d, 2)
	if err := d.end("", errors.New("no")); err == nil {
		t.Error("the error is lost")
	}
	want := "\rsft  step 1/2  loss 1.0000  l\x1b[K\rsft  step 2/2  loss 0.5000  l\x1b[K\n"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDisplayAsJSON(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out, true)
	steps(d, 3)
	if err := d.end("dir", nil); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestShortAndRough(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 7: "7", 950: "950", 999.4: "999", 999.9: "1k", 12345: "12.3k", 1.5e6: "1.5M", 2e9: "2G", 8.03e9: "8.03G"} {
		if got := short(x); got != want {
			t.Errorf("short(%g) = %q, want %q", x, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", 1234567: "1ms", 90*time.Second + 4e8: "1m30s"} {
		if got := rough(d); got != want {
			t.Errorf("rough(%d) = %q, want %q", d, got, want)
		}
	}
}

// TestOutcome: a measure of a stage comes with the number of rows behind it.
func TestOutcome(t *testing.T) {
	e := recipes.Event{Status: recipes.Done, Measures: eval.Measures{
		"loss": {Value: 1.5, N: 30}, "reward_accuracy": {Value: 0.714, N: 7}, "rows/used": {Value: 7, N: 30},
	}}
	const want = " in 0s, loss 1.500 (30), reward accuracy 0.714 (7)"
	if got := outcome(e); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
