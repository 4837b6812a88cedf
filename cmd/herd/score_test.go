package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

func tinyScorer(t *testing.T, input string) *scorer {
	t.Helper()
	dir := t.TempDir()
	if err := writeTiny(dir, false); err != nil {
		t.Fatal(err)
	}
	params, err := model.Load(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return newScorer(dir, params, "input", strings.NewReader(input))
}

func scoreLines(t *testing.T, input string) (results []logProbsJSON) {
	t.Helper()
	var out bytes.Buffer
	if err := tinyScorer(t, input).run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(&out); d.More(); {
		var r logProbsJSON
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	return results
}

// TestScoreAgreesWithGeneration compares what score says of a continuation with
// what generating it said: one comes from the graph, the other from the
// decoder. Each line has its own answer, so that none can change places.
func TestScoreAgreesWithGeneration(t *testing.T) {
	p := tinyPolicy(t)
	prompt := p.Tokenizer().Prompt("the herd")
	var input strings.Builder
	var want []float64
	var from []int // the first score that belongs to the continuation
	for seed := range uint64(8) {
		r := p.Request(prompt, sample.Settings{Temperature: 1, MaxTokens: 5 + int(seed)}, seed)
		r.Stop = nil
		err := p.Sampler().Generate(context.Background(), []sample.Request{r}, func(_ int, c []sample.Completion) error {
			line, err := json.Marshal(map[string][]token.ID{"tokens": append(prompt[:len(prompt):len(prompt)], c[0].IDs...)})
			fmt.Fprintf(&input, "%s\n{\"tokens\":[7]}\n", line)
			want, from = append(want, c[0].LogProb, 0), append(from, len(prompt)-1, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	results := scoreLines(t, input.String())
	if len(results) != len(want) {
		t.Fatalf("%d results for %d lines", len(results), len(want))
	}
	for i, r := range results {
		if got := sum(r.LogProbs[from[i]:]); math.Abs(got-want[i]) > 1e-4 {
			t.Errorf("line %d: log-probability %g, generation said %g", i+1, got, want[i])
		}
		if math.Abs(r.Sum-sum(r.LogProbs)) > 1e-9 {
			t.Errorf("line %d: sum %g of %v", i+1, r.Sum, r.LogProbs)
		}
	}
}

func TestScoreOfTextIsThatOfItsTokens(t *testing.T) {
	p := tinyPolicy(t)
	const text = "over the hills"
	ids, err := json.Marshal(p.Tokenizer().Prompt(text))
	if err != nil {
		t.Fatal(err)
	}
	r := scoreLines(t, fmt.Sprintf("{\"text\":%q}\n{\"tokens\":%s}\n", text, ids))
	if fmt.Sprint(r[0]) != fmt.Sprint(r[1]) {
		t.Errorf("text %v, tokens %v", r[0], r[1])
	}
}

func TestScoreOfNothingToPredict(t *testing.T) {
	for _, r := range scoreLines(t, "{\"tokens\":[7]}\n{\"tokens\":[]}\n{\"text\":\"\"}\n") {
		if len(r.LogProbs) != 0 || r.Sum != 0 {
			t.Errorf("%+v, want nothing", r)
		}
	}
}

// TestScoreWorksInBlocks counts what is written before a bad line far behind is
// met: the blocks before it, in whole lines.
func TestScoreWorksInBlocks(t *testing.T) {
	const line = `{"tokens":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30]}` + "\n"
	perBlock := blockTokens/31 + 1
	input := strings.Repeat(line, perBlock+10) + "no\n"
	var out bytes.Buffer
	err := tinyScorer(t, input).run(context.Background(), &out)
	if want := fmt.Sprintf("input line %d: ", perBlock+11); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s...", err, want)
	}
	if got := strings.Count(out.String(), "\n"); got != perBlock || !strings.HasSuffix(out.String(), "}\n") {
		t.Errorf("%d lines, want %d", got, perBlock)
	}
}

func FuzzScoreLine(f *testing.F) {
	for _, line := range []string{`{"tokens":[1,2]}`, `{"text":"x"}`, `{"tokens":null}`, `{"tokens":[-1]}`, `[]`, `{"tokens":[1e9]}`, "{"} {
		f.Add(line)
	}
	c := model.Config{VocabSize: 300, MaxPositions: 64}
	f.Fuzz(func(t *testing.T, line string) {
		s := &scorer{dir: t.TempDir(), params: &model.Params{Config: c}}
		ids, err := s.parse([]byte(line))
		if err != nil {
			return
		}
		for _, id := range ids {
			if id < 0 || int(id) >= c.VocabSize {
				t.Errorf("%s: token %d passed", line, id)
			}
		}
		if len(ids) > c.MaxPositions {
			t.Errorf("%d tokens passed", len(ids))
		}
	})
}
