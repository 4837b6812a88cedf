package eval

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/eval/stat"
)

var results = Results{Stages: []Stage{
	{"pretrain", Measures{"loss": measure(2.5, 2.25, 2.75, 9), "accuracy": stat.Proportion(0, 0), "accuracy/maths": measure(1, 1, 1, 1)}},
	{"sft", Measures{"loss": measure(2, 1.5, 2.5, 9), "accuracy": measure(0.75, 0.5, 1, 4), "win_rate": measure(0.5, 0, 1, 4), "zeal": measure(1, 1, 1, 1)}},
	{"reward", Measures{"reward_accuracy": measure(0.5, math.NaN(), math.NaN(), 1)}},
}}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		width int
		want  string
	}{
		{0, `
stage     accuracy (4)  win rate (4)  reward accuracy (1)  loss (9)      zeal (1)
pretrain  -             -             -                    2.500 ±0.250  -
sft       0.750 ±0.250  0.500 ±0.500  -                    2.000 ±0.500  1.000 ±0.000
reward    -             -             0.500                -             -
`},
		{45, `
stage     accuracy (4)  win rate (4)
pretrain  -             -
sft       0.750 ±0.250  0.500 ±0.500
reward    -             -
`},
		{10, `
stage     accuracy (4)
pretrain  -
sft       0.750 ±0.250
reward    -
`},
	} {
		var b strings.Builder
		if err := results.Table(&b, c.width); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			got = append(got, strings.TrimRight(line, " \n"))
			if n := len([]rune(got[len(got)-1])); c.width > 30 && n > c.width {
				t.Errorf("a line of %d columns in %d", n, c.width)
			}
		}
		if diff := cmp.Diff(strings.Split(strings.TrimSpace(c.want), "\n"), got); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", c.width, diff)
		}
	}
}

// TestTableOfDifferentSizes: where the stages were measured on different numbers of questions,
// each cell says on how many.
func TestTableOfDifferentSizes(t *testing.T) {
	r := Results{Stages: []Stage{{"sft", Measures{"accuracy": measure(0.75, 0.5, 1, 4)}}, {"dpo", Measures{"accuracy": measure(0.5, 0, 1, 7)}}}}
	var b strings.Builder
	if err := r.Table(&b, 0); err != nil {
		t.Fatal(err)
	}
	const want = "stage  accuracy\nsft    0.750 ±0.250 (4)\ndpo    0.500 ±0.500 (7)\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestTableOmissions: the table says which rows were not measured.
func TestTableOmissions(t *testing.T) {
	r := Results{Stages: []Stage{
		{"sft", Measures{"chat_loss": measure(2, 1, 3, 19), "chats/too_long": measure(1, 1, 1, 20)}},
		{"dpo", Measures{"chat_loss": measure(2, 1, 3, 17), "chats/too_long": measure(3, 3, 3, 20), "chats/no_turn": measure(1, 1, 1, 20)}},
	}}
	var b strings.Builder
	if err := r.Table(&b, 0); err != nil {
		t.Fatal(err)
	}
	const want = "\nsft: 1 of 20 chats are longer than the model's context and not measured\n" +
		"dpo: warning: 3 of 20 chats are longer than the model's context and not measured\n" +
		"dpo: 1 of 20 chats have no assistant's turn and are not measured\n"
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestAddRows: what a stage did not learn is in the file and below the table.
func TestAddRows(t *testing.T) {
	m := Measures{}
	if m.AddRows(map[string]int{"rows": 3, "used": 3}); len(m) != 0 {
		t.Errorf("all rows used: %v", m)
	}
	m.AddRows(map[string]int{"rows": 30, "used": 22, "cut": 4, "too_long": 7, "alike": 1})
	if len(m) != 4 || m["rows/used"] != measure(22, 22, 22, 30) || m["rows/cut"] != measure(4, 4, 4, 30) {
		t.Errorf("%v", m)
	}
	m.AddRows(map[string]int{"rows": 30, "used": 30, "partly": 2})
	want := []string{"of 30 rows, 2 were learnt without what the chat template leaves out", "warning: 7 of 30 rows were too long and not learnt", "1 of 30 pairs had equal responses and were not learnt"}
	if diff := cmp.Diff(want, m.omissions()); diff != "" {
		t.Error(diff)
	}
}

// TestWrite reads the file back as another program would.
func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	if err := results.Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Stages []struct {
			Stage    string
			Measures map[string]map[string]*float64
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	var names []string
	for _, s := range file.Stages {
		names = append(names, s.Stage)
	}
	if diff := cmp.Diff([]string{"pretrain", "sft", "reward"}, names); diff != "" {
		t.Error(diff)
	}
	accuracy := file.Stages[1].Measures["accuracy"]
	if len(accuracy) != 4 || *accuracy["value"] != 0.75 || *accuracy["low"] != 0.5 || *accuracy["high"] != 1 || *accuracy["n"] != 4 {
		t.Errorf("accuracy in %s", b)
	}
	if file.Stages[0].Measures["accuracy"]["value"] != nil || strings.Contains(string(b), "NaN") || b[len(b)-1] != '\n' {
		t.Errorf("file %s", b)
	}
	if err := results.Write(filepath.Join(path, "below")); err == nil {
		t.Error("writing below a file passes")
	}
}

func measure(value, low, high float64, n int) stat.Measure {
	return stat.Measure{Value: value, Low: low, High: high, N: n}
}
