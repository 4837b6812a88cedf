package judge

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// TestQuestions: a row of samples asks what the prompt that it answers asked.
func TestQuestions(t *testing.T) {
	ask, reply := chat.Message{Role: chat.User, Content: "2+3?"}, chat.Message{Role: chat.Assistant, Content: "5"}
	meta := map[string]string{"class": "sums"}
	prompt := Prompt(table.Chat{Origin: table.Origin{ID: "p", Meta: meta}, Messages: []chat.Message{ask, reply}})
	want := Question{ID: "p", Prompt: []chat.Message{ask}, Meta: meta, Reference: "5"}
	if diff := cmp.Diff(want, prompt); diff != "" {
		t.Errorf("a prompt (-want +got):\n%s", diff)
	}
	item := Sample(table.Sample{
		Origin: table.Origin{ID: "s", Parents: []string{"p"}, Meta: meta}, Prompt: prompt.Prompt, Reference: prompt.Reference,
		Candidates: []table.Candidate{{Text: "five", Finish: "stop"}, {Text: "it i", Finish: "length"}},
	})
	if diff := cmp.Diff(Item{want, []Answer{{Text: "five"}, {Text: "it i", Truncated: true}}}, item); diff != "" {
		t.Errorf("a row of samples (-want +got):\n%s", diff)
	}
	if own := Sample(table.Sample{Origin: table.Origin{ID: "s"}}); own.ID != "s" {
		t.Errorf("a row without parents has id %q", own.ID)
	}

	answered, err := Chat(table.Chat{Origin: table.Origin{ID: "p", Meta: meta}, Messages: []chat.Message{ask, reply}})
	want.Reference = "" // the closing turn is what is judged
	if diff := cmp.Diff(Item{want, []Answer{{Text: "5"}}}, answered); diff != "" || err != nil {
		t.Errorf("a chat: error %v (-want +got):\n%s", err, diff)
	}
	for _, messages := range [][]chat.Message{nil, {ask}} {
		if got, err := Chat(table.Chat{Messages: messages}); err == nil {
			t.Errorf("a chat without an answer: %+v", got)
		}
	}
}
