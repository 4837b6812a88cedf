package train

import (
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/graph"
)

// TestProfileTable writes the table of ten steps that took 3.5 s in all, on a machine with 200
// GFLOP/s and 50 GB/s.
func TestProfileTable(t *testing.T) {
	table := profileTable{
		stage: "sft", first: 11, last: 20, steps: 100, tokens: 7000, settings: "fp32, 2 threads", total: 3500 * time.Millisecond,
		rows: []graph.Cost{
			{Name: "qkv_proj.grad", Time: 2 * time.Second, Flops: 300e9, Bytes: 10e9},
			{Name: "norm", Time: time.Second, Bytes: 30e9},
			{Name: "other", Time: 500 * time.Millisecond},
		},
		roof: roof{200e9, 50e9},
	}
	const want = `sft, steps 11 to 20 of 100: 3.50 s, 2000 tokens/s, 85.7 GFLOP/s (43% of peak)
fp32, 2 threads

                 seconds   share    ms/step   GFLOP/s  of peak    MB/step     GB/s  of memory
qkv_proj.grad      2.000   57.1%    200.000     150.0      75%     1000.0      5.0        10%
norm               1.000   28.6%    100.000         -        -     3000.0     30.0        60%
other              0.500   14.3%     50.000         -        -          -        -          -
total              3.500  100.0%    350.000      85.7      43%     4000.0     11.4        23%

`
	var b strings.Builder
	if err := table.write(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.HasPrefix(got, want) {
		t.Errorf("table\n%s\nwant\n%s", got, want)
	}
	for _, says := range []string{"of the 200 GFLOP/s", "of the 50.0 GB/s", "near\n           100% waits"} {
		if !strings.Contains(b.String(), says) {
			t.Errorf("the legend does not say %q:\n%s", says, b.String())
		}
	}
}

// TestStopwatch: a lap charges all the time since the previous lap.
func TestStopwatch(t *testing.T) {
	began := time.Now()
	w := stopwatch{last: began}
	for range 3 {
		time.Sleep(2 * time.Millisecond)
		w.lap(planning)
		time.Sleep(4 * time.Millisecond)
		w.lap(updating)
	}
	if w.spent[planning] < 6*time.Millisecond || w.spent[updating] < 12*time.Millisecond || w.total() != w.last.Sub(began) {
		t.Errorf("laps %v of %v", w.spent, w.last.Sub(began))
	}
}
