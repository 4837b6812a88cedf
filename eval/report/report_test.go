package report

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
)

// bytesOf is the whole of what a report writes.
func bytesOf(t *testing.T, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	encode := json.NewEncoder(&b)
	encode.SetIndent("", "  ")
	if err := encode.Encode(r); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestOrderOfRowsDoesNotMatter shuffles rows of which some have the same id.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	rows := newWorld(9).rows(80, func(i int) int { return 3 + i%5 })
	for i := range 20 {
		rows[i].Parents = rows[0].Parents
	}
	want := bytesOf(t, build(Options{Seed: 3}, rows))
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		if !bytes.Equal(bytesOf(t, build(Options{Seed: 3}, rows)), want) {
			t.Fatal("shuffled rows give another report")
		}
	}
	if bytes.Equal(bytesOf(t, build(Options{Seed: 4}, rows)), want) {
		t.Error("another seed gives the same examples")
	}
	*rows[5].Candidates[0].Score++
	if bytes.Equal(bytesOf(t, build(Options{Seed: 3}, rows)), want) {
		t.Error("another score gives the same report")
	}
}

// TestGolden has three prompts whose numbers can be followed by hand. What JSON
// says of them is what programs read: a key that changes breaks them.
func TestGolden(t *testing.T) {
	row := func(id string, texts string, scores []float64, right string) table.Sample {
		r := table.Sample{Origin: table.Origin{Parents: []string{id}}, Prompt: []chat.Message{{Role: "user", Content: id + "?"}}}
		for k, text := range strings.Fields(texts) {
			yes := right[k] == '+'
			reward := scores[k] - float64(len(text))
			r.Candidates = append(r.Candidates, table.Candidate{
				Text: text, IDs: make([]token.ID, len(text)), K: k, Finish: []string{"length", "stop"}[min(1, k)],
				Score: &scores[k], Reward: &reward, Correct: &yes, Note: "said so",
			})
		}
		return r
	}
	r := build(Options{Title: "golden", Seed: 7}, []table.Sample{
		row("easy", "a bb ccc dddd", []float64{1, 2, 3, 4}, "++++"),
		row("even", "aaaa bbb bbb d", []float64{4, 0, 2, 3}, "+--+"),
		row("hard", "aa bb ccc", []float64{-1, -1, -2}, "---"),
	})
	got, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "report.json")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("(-%s +report):\n%s", path, diff)
	}
	var back Report
	if err := json.Unmarshal(got, &back); err != nil || !cmp.Equal(&back, r) {
		t.Errorf("read back (error %v):\n%s", err, cmp.Diff(r, &back))
	}
}

// TestMemoryIsBounded adds texts that share large buffers, as those of a table
// do. A builder that kept one piece of each buffer would keep them all.
func TestMemoryIsBounded(t *testing.T) {
	const rows, size = 200, 1 << 18
	b := New(Options{})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range rows {
		buffer := strings.Repeat(string(rune('a'+i%26)), size)
		b.Add(table.Sample{
			Origin:     table.Origin{ID: buffer[i : i+20]},
			Prompt:     []chat.Message{{Role: buffer[:4], Content: buffer[:9]}},
			Candidates: []table.Candidate{{Text: buffer[:7], Note: buffer[:3]}, {Text: buffer}},
		})
	}
	if grown := int64(heap()) - int64(before); grown > rows*size/20 {
		t.Errorf("%d bytes are kept of %d rows", grown, rows)
	}
	runtime.KeepAlive(b)
}

func TestNumbersSayWhatIsMissing(t *testing.T) {
	rows := outliers(newWorld(3).rows(10, each(4)))
	rows[9].Candidates = rows[9].Candidates[2:] // 0 and 1 were dropped
	r := build(Options{}, rows)
	if r.Score.Missing != 3 || r.Score.Count != 35 || r.Missing != 2 || r.Fewest != 2 || r.Most != 4 || r.Samples != 38 {
		t.Errorf("missing scores %d of %d, samples %d, missing %d, from %d to %d", r.Score.Missing, r.Score.Count, r.Samples, r.Missing, r.Fewest, r.Most)
	}
	if r.Reward == nil {
		t.Error("rewards that are not the score are left out")
	}
	if same := build(Options{}, newWorld(3).rows(10, each(4))); same.Reward != nil {
		t.Error("rewards that are the score are told twice")
	}
}

// TestSolved counts prompts by what was checked of them.
func TestSolved(t *testing.T) {
	for name, want := range map[string][5]int{ // never, sometimes, always, judged, unjudged
		"equal": {0, 0, 50, 400, 0}, "hostile": {0, 14, 0, 70, 1},
	} {
		c := build(Options{}, tables()[name]).Correct
		if got := [5]int{c.Never.Prompts, c.Between, c.Always.Prompts, c.Judged, c.Unjudged}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if c := build(Options{}, tables()["reward"]).Correct; c != nil {
		t.Errorf("nothing was checked: %+v", c)
	}
}

// TestAgreement has 2 correct and 2 wrong samples: of 4 pairs 2.5 are in order.
func TestAgreement(t *testing.T) {
	p := prompt{draws: []draw{{reward: 3, correct: 1}, {reward: 1, correct: 1}, {reward: 1, correct: 0}, {reward: 2, correct: 0}}}
	if got := agreement(p); got != 2.5/4 {
		t.Errorf("got %g, want %g", got, 2.5/4)
	}
	if got := agreement(prompt{draws: p.draws[:2]}); known(got) {
		t.Errorf("without a wrong sample: %g", got)
	}
}

func TestFindings(t *testing.T) {
	for name, want := range map[string][]string{
		"empty":   {"There are no samples."},
		"cut":     {"100% of the samples were cut off"},
		"equal":   {"Of 8 responses to a prompt, 1 are different", "pass@1 is 100% [92.9%, 100%]", "All samples of 50 of 50 prompts"},
		"full":    {"pass@30", "never answered correctly", "already give 90%", "The best of 30 by reward", "longer of the responses", "so the score may reward correctness"},
		"checker": {"longer of the responses to a prompt are more often correct"},
		"single":  {"pass@1 is"},
		"mixed":   {"pass@2 is", "best of 2 by reward is"}, // more have few prompts
		"hostile": {"were drawn and are not in the table"},
	} {
		all := strings.Join(build(Options{}, tables()[name]).Findings(), "\n")
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("%s: %q is not in:\n%s", name, w, all)
			}
		}
	}
	for name, not := range map[string]string{"full": "cut off", "checker": "best of 30 scores", "single": "Length", "reward": "correct"} {
		if all := strings.Join(build(Options{}, tables()[name]).Findings(), "\n"); strings.Contains(all, not) {
			t.Errorf("%s: %q is in:\n%s", name, not, all)
		}
	}
}
