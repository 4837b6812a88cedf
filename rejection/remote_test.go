package rejection

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/realdata"
	"github.com/herd-lm/herd/judge/rule"
)

// serve answers chat completions: answer is given the question and the seed. It counts
// what it was asked.
func serve(t *testing.T, asked *atomic.Int64, answer func(question string, seed uint64) string) remote.Settings {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Messages []chat.Message
			Seed     uint64
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) == 0 {
			http.Error(w, fmt.Sprintf("no messages: %v", err), http.StatusBadRequest)
			return
		}
		asked.Add(1)
		text := answer(body.Messages[len(body.Messages)-1].Content, body.Seed)
		json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text},
		}}})
	}))
	t.Cleanup(server.Close)
	return remote.Settings{URL: server.URL, Model: "parrot", Prompt: remote.Chat}
}

// TestRemote: a server without a directory here; another address is the same model,
// another revision is not.
func TestRemote(t *testing.T) {
	s := fixture(t, 20)
	var asked atomic.Int64
	parrot := func(question string, seed uint64) string { return fmt.Sprintf("%s %d!", question, seed%3) }
	s.Model, s.Engine, s.Revision = "", serve(t, &asked, parrot), "one"
	if err := Run(t.Context(), s, Options{}); err != nil {
		t.Fatal(err)
	}
	want := written(t, s.Out)
	rows, _, err := table.ReadAll[table.Sample](filepath.Join(s.Out, SamplesFile))
	if err != nil || len(rows) != 20 || asked.Load() != 60 || !strings.HasSuffix(rows[0].Candidates[2].Text, "!") || rows[0].Candidates[2].LogProb != nil {
		t.Fatalf("%d rows of %d requests, error %v", len(rows), asked.Load(), err)
	}
	s.Engine = serve(t, &asked, parrot)
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}}); err != nil || asked.Load() != 60 || !bytes.Equal(want, written(t, s.Out)) {
		t.Errorf("elsewhere: asked %d times, or other files, or error %v", asked.Load(), err)
	}
	s.Revision = "two"
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}}); err == nil || !strings.Contains(err.Error(), "revision was one and is two") {
		t.Errorf("another revision: error %v", err)
	}
}

// TestGSM8K takes the training prompts of GSM8K through the whole stage, with the
// numeric checker. The server knows the recorded solutions; of three responses to a
// prompt some are right as recorded, some are off by one.
func TestGSM8K(t *testing.T) {
	chats := gsm8k(t)
	s := fixture(t, 0)
	if err := table.WriteAll(s.Prompts[0], table.Header{}, chats); err != nil {
		t.Fatal(err)
	}
	solutions := make(map[string]string)
	for _, c := range chats {
		solutions[c.Messages[0].Content] = c.Meta["answer"]
	}
	var asked, right atomic.Int64
	s.Engine = serve(t, &asked, func(question string, seed uint64) string {
		if seed%3 == 0 {
			return solutions[question] + "1" // ten times as much, and one
		}
		right.Add(1)
		return solutions[question]
	})
	s.Model, s.Reward, s.Check = "", "", rule.Settings{Kind: rule.Numeric}
	s.Samples, s.Pick.Rule, s.Engine.Concurrency = 3, PickCorrect, 4
	var sum Summary
	if err := Run(t.Context(), s, Options{Summarise: func(got Summary) { sum = got }}); err != nil {
		t.Fatal(err)
	}
	if n := len(chats); sum.Prompts != n || sum.Samples != 3*n || sum.Checked != 3*n || int64(sum.Correct) != right.Load() || sum.Chats != sum.Solved {
		t.Errorf("%d right answers of %d: %+v", right.Load(), 3*n, sum)
	}
	for row, err := range table.Scan[table.Chat](filepath.Join(s.Out, ChatsFile)) {
		if err != nil || row.Messages[1].Content != solutions[row.Messages[0].Content] {
			t.Fatalf("a chat that is not as recorded: %+v, error %v", row, err)
		}
	}
}

// gsm8k imports the training set, which keeps the solutions as meta "answer".
func gsm8k(t *testing.T) []table.Chat {
	t.Helper()
	file := realdata.Path(t, "data", "reasoning", "gsm8k-train.jsonl.gz")
	path := filepath.Join(t.TempDir(), "gsm8k.arrow")
	if _, err := format.Import(path, []string{file}, format.ImportSettings{}); err != nil {
		t.Fatal(err)
	}
	chats, _, err := table.ReadAll[table.Chat](path)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		chats = chats[:200]
	}
	return chats
}

// TestRemoteReward: a server scores what the reward model's template makes of prompt
// and response.
func TestRemoteReward(t *testing.T) {
	s := fixture(t, 5)
	s.Pick.CutOff = true
	layout, err := template.Load(s.Reward, "")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var list []any
		for i, text := range body.Input {
			list = append(list, map[string]any{"index": i, "label": nil, "probs": []float64{worth(text)}, "num_classes": 1})
		}
		json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": list})
	}))
	defer server.Close()
	s.RemoteReward = remote.RewardSettings{URL: server.URL, Model: "judge", Batch: 2}
	if err := Run(t.Context(), s, Options{}); err != nil {
		t.Fatal(err)
	}
	for row, err := range table.Scan[table.Sample](filepath.Join(s.Out, SamplesFile)) {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range row.Candidates {
			whole, err := layout.Chat(append(row.Prompt[:1:1], chat.Message{Role: "assistant", Content: c.Text}))
			if err != nil {
				t.Fatal(err)
			}
			if want := worth(layout.Tokenizer().Decode(whole.IDs)); *c.Score != want || *c.Reward != want {
				t.Errorf("%q has reward %g and score %g, want %g", c.Text, *c.Reward, *c.Score, want)
			}
		}
	}
}

// worth tells texts apart.
func worth(text string) float64 {
	h := fnv.New32a()
	io.WriteString(h, text)
	return float64(h.Sum32())
}
