package format

import (
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/table"
)

// TestRefusals: what could change what is learnt, and what herd does not know, is refused by
// name.
func TestRefusals(t *testing.T) {
	const user, answer = `{"role":"user","content":"q"}`, `{"role":"assistant","content":"a"}`
	chat := func(m string) string { return `{"messages":[` + user + `,` + m + `]}` }
	for in, want := range map[string]string{
		chat(`{"role":"assistant","content":"a","colour":"red"}`):                                                             "message 2: colour: is a key that herd does not know",
		chat(`{"role":"assistant","content":"a","train_detail":[{"begin_offset":0,"train":false}]}`):                          "train_detail: is a key that",
		chat(`{"role":"assistant","content":null,"refusal":"I will not."}`):                                                   "content: is missing",
		chat(`{"role":"assistant","content":"a","refusal":"I will not."}`):                                                    "refusal: is a key that",
		chat(`{"role":"assistant","content":"a","audio":{"id":"x"}}`):                                                         "audio: is a key that",
		chat(`{"role":"assistant","content":"a","weight":-1}`):                                                                "weight: is -1, expected a number of at least 0",
		chat(`{"role":"assistant","content":"a","weight":"often"}`):                                                           `weight: is "often"`,
		chat(`{"role":"assistant","content":"a","weight":0,"train":true}`):                                                    "train: contradicts another key",
		chat(`{"role":"assistant","content":"a","reasoning":"x","thinking":"y"}`):                                             "thinking: differs from reasoning",
		`{"messages":[{"role":"user","content":"q","train":true},` + answer + `]}`:                                            "herd trains on the assistant's messages only",
		`{"messages":[{"role":"user","content":"q","reasoning":"x"},` + answer + `]}`:                                         "only the assistant reasons",
		`{"messages":[{"role":"user","content":"q","tool_calls":[{"name":"f"}]},` + answer + `]}`:                             "only the assistant reasons and calls functions",
		chat(`{"role":"assistant","content":"","tool_calls":[{"name":"f"}],"function_call":{"name":"g"}}`):                    "tool_calls: is there and function_call too",
		chat(`{"role":"assistant","tool_calls":[{"name":"f","arguments":"{a:1}"}]}`):                                          "call 1: arguments: is \"{a:1}\", expected a JSON object",
		chat(`{"role":"assistant","tool_calls":[{"name":"f","arguments":"[1]"}]}`):                                            "expected a JSON object",
		chat(`{"role":"assistant","tool_calls":[{"name":"f","arguments":{},"when":"now"}]}`):                                  "call 1: when: is a key that",
		chat(`{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","strict_":1}}]}`):                   "strict_: is a key that",
		chat(`{"role":"assistant","tool_calls":[{"function":{"arguments":"{}"}}]}`):                                           "name: is missing",
		chat(`{"role":"assistant","tool_calls":"f()"}`):                                                                       `tool_calls: is the text "f()"`,
		chat(`{"role":"assistant","content":[{"type":"text","text":"a","cache_control":{"type":"x"}}]}`):                      "part 1 cache_control: is a key that",
		chat(`{"role":"assistant","content":[{"type":"image_url","image_url":"x"}]}`):                                         `part 1 has type "image_url"`,
		`{"messages":[` + user + `,` + answer + `],"images":["a.png"]}`:                                                       "images: herd trains on text only",
		`{"conversations":[{"from":"human","value":"<image>q"},{"from":"gpt","value":"a"}],"image":"a.png"}`:                  "image: herd trains on text only",
		`{"prompt":"q","chosen":"a","rejected":"b","videos":["v"]}`:                                                           "videos: herd trains on text only",
		`{"messages":[` + user + `,` + answer + `],"tools":"f, g"}`:                                                           "tools: expected a JSON list",
		`{"prompt":"q","chosen":"a","reject":"b"}`:                                                                            "looks like an answer",
		`{"question":"q","response_x":"a"}`:                                                                                   "response_x: looks like an answer",
		`{"prompt":"q","completions":[{"model":"m","completion":"c"}]}`:                                                       "completions: looks like an answer",
		`{"system":"s","messages":[{"role":"system","content":"t"},` + user + `,` + answer + `]}`:                             "system: differs from the system message",
		`{"prompt":"x","chosen":[` + user + `,` + answer + `],"rejected":[` + user + `,` + answer + `]}`:                      "prompt: is not among the messages of the dialogues",
		`{"prompt":"q","chosen":[` + user + `,` + answer + `],"rejected":"b"}`:                                                "is a whole dialogue and the other response is not",
		`{"chosen":"a","rejected":"b"}`:                                                                                       "prompt: is missing",
		`{"prompt":[` + answer + `],"chosen":"a","rejected":"b"}`:                                                             "prompt: ends with a message of the assistant",
		`{"chosen":[{"role":"user","content":"x"},` + answer + `],"rejected":[{"role":"user","content":"y"},` + answer + `]}`: "have no common beginning",
	} {
		_, _, err := importFile(t, "in.jsonl", in, ImportSettings{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "in.jsonl line 1: ") {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
	_, _, err := importFile(t, "in.jsonl", `{"prompt":"q","completion":"a","label":false}`, ImportSettings{Kind: table.Chats})
	if err == nil || !strings.Contains(err.Error(), "label: judges the answer, so the row is an unpaired preference") {
		t.Errorf("KTO rows as chats: %v", err)
	}
	_, _, err = importFile(t, "in.jsonl", chat(answer)+"\n"+`{"messages":[`+user+`,`+answer+`],"label":false}`, ImportSettings{})
	if err == nil || !strings.Contains(err.Error(), "line 2: label: judges the answer") {
		t.Errorf("KTO rows among chats: %v", err)
	}
}

// TestCounts: what an import leaves out, it counts.
func TestCounts(t *testing.T) {
	in := `{"messages":[{"role":"user","content":"q","timestamp":1},{"role":"assistant","content":"a","id":"x","mood":"good"}]}`
	_, r, err := importFile(t, "in.jsonl", in, ImportSettings{Ignore: []string{"mood"}})
	if err != nil || r.Dropped["messages.timestamp"] != 1 || r.Dropped["messages.id"] != 1 || r.Dropped["messages.mood"] != 1 {
		t.Errorf("dropped %v, error %v", r.Dropped, err)
	}
	if s := r.String(); !strings.Contains(s, "1  values not kept: messages.mood\n") {
		t.Errorf("report %s", s)
	}
	in = `{"instruction":"q","output_1":"a","output_2":"b","preference":1}` + "\n" + `{"instruction":"q","output_1":"a","output_2":"b","preference":1.5}`
	_, r, err = importFile(t, "in.jsonl", in, ImportSettings{})
	if err != nil || r.Rows != 1 || r.Left["ties"] != 1 || !strings.Contains(r.String(), "1  left out: ties\n") {
		t.Errorf("report %v, error %v", r, err)
	}
	_, r, err = importFile(t, "in.jsonl", `{"question":"q","answer":"a"}`, ImportSettings{Format: QA})
	if err != nil || r.Rows != 1 || r.Kind != table.Chats {
		t.Errorf("report %v, error %v", r, err)
	}
}
