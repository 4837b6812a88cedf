package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/kernel"
)

// tiny is a shape that any machine computes quickly.
const tiny = "-d 16 -layers 1 -heads 2 -kv 1 -ffn 24 -vocab 40 -seq 8 -batch 2 -steps 3 -warmup 1 -gen 6 -prompt 3 -threads 1"

// TestMeasure runs each mode and parses its output.
func TestMeasure(t *testing.T) {
	t.Cleanup(func() { kernel.SetThreads(0) })
	for _, c := range []struct {
		mode, more string
		seq        int
		arena      bool
	}{
		{"train", "", 8, true},
		{"train", "-micro 8", 8, true},
		{"score", "", 8, true},
		{"decode", "", 9, false},
	} {
		var out bytes.Buffer
		if err := run(strings.Fields(c.mode+" "+tiny+" "+c.more), nil, &out); err != nil {
			t.Errorf("%s %s: %v", c.mode, c.more, err)
			continue
		}
		var got result
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%s prints %q: %v", c.mode, &out, err)
		}
		if want := (shape{16, 1, 2, 1, 24, 40, c.seq, 2}); got.Mode != c.mode || got.shape != want || got.Threads != 1 {
			t.Errorf("%s %s: measured %s of %+v on %d threads", c.mode, c.more, got.Mode, got.shape, got.Threads)
		}
		if !(got.Median > 0 && got.Best >= got.Median && got.GFLOPS >= got.CausalGFLOPS) || (got.ArenaBytes > 0) != c.arena {
			t.Errorf("%s %s: %+v", c.mode, c.more, got)
		}
	}
}

// TestWork: a step computes the number of tokens that the rate assumes.
func TestWork(t *testing.T) {
	s, err := parse(strings.Fields(tiny), 1)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.plan(2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		n := 0
		for _, b := range plan.Step(i) {
			n += len(b.IDs)
		}
		if n != s.tokens() {
			t.Errorf("step %d has %d tokens, %d are counted", i, n, s.tokens())
		}
	}
	counted, err := decode(s)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDecoding(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []func(int) error{d.begin, d.rest} {
		before := cached(d)
		if err := f(0); err != nil {
			t.Fatal(err)
		}
		if n := cached(d) - before; before > 0 && n != counted.tokens {
			t.Errorf("%d tokens are decoded, %d are counted", n, counted.tokens)
		}
	}
}

func cached(d *decoding) (n int) {
	for _, row := range d.rows {
		n += row.At
	}
	return n
}

// TestResult: rates follow from the median and the minimum of the times.
func TestResult(t *testing.T) {
	took := []time.Duration{time.Second / 4, time.Second / 2, time.Second}
	if r := (trial{tokens: 100}).result(took); r.Median != 200 || r.Best != 400 {
		t.Errorf("median %v and best %v tokens/s, want 200 and 400", r.Median, r.Best)
	}
}

// TestFLOP: torch_llama.py prints 0.0482 and 0.8600 GFLOP for a token of these
// two, forward and backward.
func TestFLOP(t *testing.T) {
	for preset, want := range map[string]float64{"15m4k": 0.0482, "135m": 0.8600} {
		s, err := parse([]string{"-preset", preset}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := 3 * s.flop(float64(s.Seq)) / 1e9; math.Abs(got-want) > 0.00005 {
			t.Errorf("%s: %.4f GFLOP for a token, torch_llama.py says %.4f", preset, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"":                      "want one of [compare decode peak sample scaling score train]",
		"fly":                   "want one of",
		"train now":             `argument "now" is no flag`,
		"train -preset 7b":      "expected one of [135m 15m 15m4k]",
		"train -heads 5":        "not a multiple of num_key_value_heads",
		"train -precision fp8":  "expected fp32, bf16, int8 or auto",
		"train -precision int8": "precision int8 is for decoding",
		"train -micro 8":        "a micro-batch holds 8",
		"peak -threads 0":       "threads is 0",
		"score -steps -1":       "steps is -1",
		"decode -gen 1":         "gen 1",
	} {
		err := run(strings.Fields(args), nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
}

// TestCompare: medians over the pairs, ratios pair by pair, goals met and missed.
func TestCompare(t *testing.T) {
	const pairs = "a\ttrain\tX\t1.3\t0.5\t100\t120\t1e9\t50\t80\t2e9\n" +
		"b\tscore\tY\t1.3\t0\t99\t99\t3e9\t90\t90\t4e9\n" +
		"a\ttrain\tX\t1.3\t0.5\t140\t150\t1e9\t100\t110\t3e9\n" +
		"a\ttrain\tX\t1.3\t0.5\t130\t131\t2e9\t100\t105\t3e9\n"
	const want = "| a | train | 130, best 150 | X: 100, best 110 | 3 | 1.30 | 1.40 | 1.36 | ≥ 1.3 | 2.00 | 3.00 | 0.67 | **missed: ≤ 0.5** |\n" +
		"| b | score | 99.0, best 99.0 | Y: 90.0, best 90.0 | 1 | 1.10 | 1.10 | 1.10 | **missed: ≥ 1.3** | 3.00 | 4.00 | 0.75 |  |\n"
	var out bytes.Buffer
	if err := run([]string{"compare"}, strings.NewReader(pairs), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "|\n"+want) {
		t.Errorf("table:\n%s\nwant to end with\n%s", &out, want)
	}
	for _, bad := range []string{"a\tb\n", strings.Replace(pairs, "120", "fast", 1)} {
		if err := run([]string{"compare"}, strings.NewReader(bad), &out); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: error %v, want one that names line 1", bad, err)
		}
	}
}

// TestScaling: each line is compared with the peak for its own threads and precision.
func TestScaling(t *testing.T) {
	const lines = `{"mode":"peak","threads":1,"fp32":200,"bf16":400}
{"mode":"peak","threads":2,"fp32":400,"bf16":800}
{"mode":"train","d":288,"layers":6,"vocab":4096,"seq":256,"batch":8,"precision":"bf16","threads":2,"median":9000,"best":9500.4,"causal_gflops":600,"peak_bytes":500000000}
{"mode":"train","d":288,"layers":6,"vocab":4096,"seq":8192,"batch":1,"precision":"fp32","threads":4,"median":90.06,"best":91,"causal_gflops":100}
`
	const want = "| train bf16 | 288 | 6 | 4096 | 8x256 | 2 | 9000 | 9500 | 600 | 75% | 0.50 |\n" +
		"| train fp32 | 288 | 6 | 4096 | 1x8192 | 4 | 90.1 | 91.0 | 100 |  | 0.00 |\n"
	var out bytes.Buffer
	if err := run([]string{"scaling"}, strings.NewReader(lines), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "|\n"+want) {
		t.Errorf("table:\n%s\nwant to end with\n%s", &out, want)
	}
}

// TestPeak: no product is faster than the peak or slower than a tenth of it.
func TestPeak(t *testing.T) {
	t.Cleanup(func() { kernel.SetThreads(0) })
	most := peak(kernel.FP32, 1)
	if most == 0 {
		t.Skip("there is no loop for " + kernel.CPU())
	}
	const n = 256
	x, w, y := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	product := trial{settings: settings{steps: 20}, step: func(int) error {
		kernel.FP32.Linear(y, x, w, nil, n, n, n)
		return nil
	}}
	took, err := product.times()
	if err != nil {
		t.Fatal(err)
	}
	if reached := 2 * n * n * n / took[0].Seconds() / 1e9; reached > 1.1*most || reached < 0.1*most {
		t.Errorf("a product reaches %.0f GFLOP/s, the peak is %.0f", reached, most)
	}
}
