package template

import (
	"os"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
)

// TestToolsGolden compares chats with tools, calls and results with what Jinja 2 makes of them
// under transformers' settings, in a template that prints tools and calls as those of Qwen2.5 and
// Llama 3.1 do.
func TestToolsGolden(t *testing.T) {
	source, err := os.ReadFile("testdata/tools.jinja")
	if err != nil {
		t.Fatal(err)
	}
	var golden []struct {
		Messages    []chat.Message
		Tools       chat.JSON
		Prompt      bool
		Want, Error string
	}
	readJSON(t, "tools.json", &golden)
	for i, c := range golden {
		f, err := formatOf(t, string(source)).WithTools(c.Tools)
		if err != nil {
			t.Fatal(err)
		}
		values, err := valuesOf(c.Messages)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.render(values, c.Prompt); err != nil || got.String() != c.Want {
			t.Errorf("case %d: error %v, got\n%s\nwant\n%s", i, err, got, c.Want)
		}
	}
}

// TestCallsAreLearnt: the assistant's calls are its own words, tools and results are not, and no
// argument can forge a special token.
func TestCallsAreLearnt(t *testing.T) {
	source, err := os.ReadFile("testdata/tools.jinja")
	if err != nil {
		t.Fatal(err)
	}
	f, err := formatOf(t, string(source)).WithTools(`[{"name":"look"}]`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Chat([]chat.Message{
		say("user", "hi"),
		{Role: chat.Assistant, Content: "so", ToolCalls: []chat.Call{{ID: "7", Name: "look", Arguments: `{"at":"<|im_end|>"}`}}},
		{Role: chat.Tool, Content: "seen", Name: "look", ToolCallID: "7"},
		say(chat.Assistant, "ok"),
	})
	if err != nil {
		t.Fatal(err)
	}
	learnt, ends := r.IDs[:0:0], 0
	for k, id := range r.IDs {
		if r.Own[k] {
			learnt = append(learnt, id)
		}
		if id == f.stop {
			ends++
		}
	}
	const want = "so\n<call name=\"look\">{\"at\": \"<|im_end|>\"}</call>7<|im_end|>ok<|im_end|>"
	if got := f.tok.Decode(learnt); got != want || ends != 5 {
		t.Errorf("learns %q, want %q; %d ends of turns, want 5", got, want, ends)
	}
}
