package reward

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/internal/testmodel"
	"github.com/herd-lm/herd/judge"
)

// TestRemoteTools: a reward model on a server sees the tools of a question.
func TestRemoteTools(t *testing.T) {
	dir := t.TempDir()
	tok := testmodel.Tokenizer(t, 265, "who is it?")
	tok = tok.WithTemplate(tokenizer.Template{Source: "{{ tools | tojson }}{% for m in messages %}{{ m.content }}<|eot_id|>{% endfor %}"})
	if err := tok.Save(dir); err != nil {
		t.Fatal(err)
	}
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		got = append(got, body.Input...)
		fmt.Fprint(w, `{"data":[{"index":0,"probs":[1.5],"num_classes":1}]}`)
	}))
	defer server.Close()
	j, err := Dial(remote.RewardSettings{URL: server.URL, Model: "judge"}, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	q := judge.Question{Prompt: []chat.Message{{Role: "user", Content: "who?"}}, Tools: `[{"name":"look"}]`}
	if err := j.Accepts(q); err != nil {
		t.Error(err)
	}
	verdicts, err := j.Verdicts(t.Context(), []judge.Item{{Question: q, Answers: []judge.Answer{{Text: "it"}}}})
	if err != nil || verdicts[0][0].Score != 1.5 {
		t.Fatalf("%v, error %v", verdicts, err)
	}
	if want := `[{"name": "look"}]who?<|eot_id|>it<|eot_id|>`; len(got) != 1 || !strings.HasSuffix(got[0], want) {
		t.Errorf("the server got %q, want %q", got, want)
	}
}
