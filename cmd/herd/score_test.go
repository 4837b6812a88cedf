package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/chat"
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
	l := &layout{dir: dir, model: params.Config}
	return &scorer{params: params, rows: newLineRows(l, "input", io.NopCloser(strings.NewReader(input)))}
}

func scoreLines(t *testing.T, input string) (results []textJSON) {
	t.Helper()
	var out bytes.Buffer
	if err := tinyScorer(t, input).run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(&out); d.More(); {
		var r textJSON
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

func sum(x []float32) (total float64) {
	for _, v := range x {
		total += float64(v)
	}
	return total
}

// TestScoreOfAnswers: the score of an answer is what score.LogProbs says of the whole chat's
// tokens, from the first of the answer to the end of its turn; the responses of a pair get the
// scores that they have as chats.
func TestScoreOfAnswers(t *testing.T) {
	p := tinyPolicy(t)
	line := func(answer string) string {
		return fmt.Sprintf(`{"id":"a","messages":[{"role":"user","content":"who?"},{"role":"assistant","content":%q}]}`, answer)
	}
	whole := func(answer string) (before, after []token.ID) {
		format, err := p.Format()
		if err != nil {
			t.Fatal(err)
		}
		b, a, err := format.Continue(messagesOf("user", "who?"), messagesOf("assistant", answer))
		if err != nil {
			t.Fatal(err)
		}
		return b.IDs, a.IDs
	}
	var out bytes.Buffer
	s := tinyScorer(t, line("the herd")+"\n"+line("one follows")+"\n"+
		`{"id":"p","prompt":"who?","chosen":"the herd","rejected":"one follows"}`+"\n")
	if err := s.run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	var scores []textScore
	d := json.NewDecoder(&out)
	for range 2 {
		var r textScore
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		scores = append(scores, r)
	}
	for i, answer := range []string{"the herd", "one follows"} {
		before, after := whole(answer)
		ids, _ := json.Marshal(slices.Concat(before, after))
		all := scoreLines(t, fmt.Sprintf("{\"tokens\":%s}\n", ids))[0].LogProbs
		if want := sum(all[len(before)-1:]); math.Abs(*scores[i].Sum-want) > 1e-5 || scores[i].Tokens != len(after) || scores[i].ID != "a" {
			t.Errorf("%s: %+v with sum %g, want %g for %d tokens", answer, scores[i], *scores[i].Sum, want, len(after))
		}
	}
	var pair struct {
		ID               string
		Chosen, Rejected textScore
	}
	if err := d.Decode(&pair); err != nil {
		t.Fatal(err)
	}
	if pair.ID != "p" || *pair.Chosen.Sum != *scores[0].Sum || *pair.Rejected.Sum != *scores[1].Sum {
		t.Errorf("pair %s %g %g, want %g and %g", pair.ID, *pair.Chosen.Sum, *pair.Rejected.Sum, *scores[0].Sum, *scores[1].Sum)
	}
	if len(s.leads) != 1 || s.leads[0] != *scores[0].Sum-*scores[1].Sum {
		t.Errorf("leads %v", s.leads)
	}
}

func messagesOf(role, content string) []chat.Message {
	return []chat.Message{{Role: role, Content: content}}
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
	perBlock := blockTokens/30 + 1 // a line of 30 tokens computes 29, and counts one more
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
		r := lineRows{layout: &layout{dir: t.TempDir(), model: c}}
		row, err := r.parse([]byte(line))
		if err != nil {
			return
		}
		ids := row.examples[0].Prompt.IDs
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
