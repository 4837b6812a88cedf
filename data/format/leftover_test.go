package format

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/data/table"
)

// TestLostKeys: a key of a row that may change what is learnt, and that no converter takes, is
// refused by name, and accepted if the user ignores it.
func TestLostKeys(t *testing.T) {
	const messages = `"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]`
	const pair = `"prompt":"q","chosen":"a","rejected":"b"`
	for in, want := range map[string]string{
		`{"instruction":"i","output":"o","response":"r"}`:                                 "response: looks like another answer",
		`{"prompt":"p","response":"r","rejected_response":"z"}`:                           "rejected_response: looks like another answer",
		`{` + messages + `,"response":"z"}`:                                               "response: looks like another answer",
		`{` + messages + `,"rejected_messages":[{"role":"assistant","content":"b"}]}`:     "rejected_messages: looks like another answer",
		`{` + messages + `,"rejected_response":"b"}`:                                      "rejected_response: looks like another answer",
		`{"prompt":"p","completion":"c","label":true,"rejected_response":"z"}`:            "rejected_response: looks like another answer",
		`{` + messages + `,"chain_of_thought":"because"}`:                                 "chain_of_thought: looks like another answer, or a part of one",
		`{` + messages + `,"thinking":"because"}`:                                         "thinking: looks like another answer, or a part of one",
		`{"messages":[{"role":"user","content":"q"}],"response":"r"}`:                     "response: looks like an answer, but",
		`{"question":"q","answers":["a"]}`:                                                "answers: looks like an answer, but",
		`{"text":"t","response":"r"}`:                                                     "response: looks like an answer, but the row would become a document",
		`{` + pair + `,"edited":"c"}`:                                                     "edited: looks like another answer",
		`{` + pair + `,"response":"c"}`:                                                   "response: looks like another answer",
		`{` + pair + `,"rejected_2":"c"}`:                                                 "rejected_2: looks like another answer",
		`{` + pair + `,"context":"c"}`:                                                    "context: looks like a part of the prompt",
		`{"instruction":"i","input":"x","context":"c","response":"r"}`:                    "context: looks like a part of the prompt",
		`{"instruction":"i","prompt":"zz","response":"r"}`:                                "prompt: looks like a part of the prompt",
		`{"prompt":"p","input":"x","response":"r"}`:                                       "input: looks like a part of the prompt",
		`{"question":"q","context":{"title":["t"]},"response":"a"}`:                       "context: looks like a part of the prompt",
		`{"question":"q","context":"c"}`:                                                  "context: looks like a part of the prompt",
		`{"question":"q","choices":{"text":["x","y"],"label":["A","B"]},"answerKey":"A"}`: "choices: looks like a part of the prompt",
		`{` + messages + `,"prompt":"zzz"}`:                                               "prompt: looks like a part of the prompt",
		`{` + messages + `,"history":[["u","v"]]}`:                                        "history: looks like a part of the prompt",
		`{"instruction":"i","system":"s","system_prompt":"t","output":"r"}`:               "system_prompt: looks like a part of the prompt",
		`{` + messages + `,"train_on_input":true}`:                                        "train_on_input: is true: it would change",
		`{` + messages + `,"mask_prompt":false}`:                                          "mask_prompt: is false: it would change",
		`{` + messages + `,"loss_mask":[0,1]}`:                                            "loss_mask: is a list: it would change",
		`{` + pair + `,"weight":0.5}`:                                                     "weight: is 0.5: it would change",
		`{` + pair + `,"margin":2}`:                                                       "margin: is 2: it would change",
		`{"text":"t","weight":0}`:                                                         "weight: is 0: it would change",
		`{"prompt":"q","completion":"c","label":0}`:                                       "label: is 0: if it judges the answer, import the file as unpaired",
		`{"prompt":"q","completion":"c","label":"1"}`:                                     `label: is "1": if it judges the answer`,
		`{"prompt":"q","completion":"c","desirable":false}`:                               "desirable: is false: if it judges the answer, map the column to label",
		`{` + messages + `,"is_accepted":"False"}`:                                        `is_accepted: is "False": if it judges the answer`,
		`{` + messages + `,"thumbs_down":1}`:                                              "thumbs_down: is 1: if it judges the answer",
		`{` + pair + `,"tie":true}`:                                                       "tie: is true, but the row has a chosen and a rejected response",
		`{` + pair + `,"winner":"rejected"}`:                                              `winner: is "rejected", but the row has a chosen`,
		`{"messages":[{"role":"user","content":"<image>\nq"}],"img":"x.png"}`:             "img: herd trains on text only",
		`{"prompt":"<|image_1|> q","chosen":"a","rejected":"b","media_paths":["x"]}`:      "media_paths: herd trains on text only",
	} {
		key, _, _ := strings.Cut(want, ":")
		_, _, err := importFile(t, "in.jsonl", in, ImportSettings{})
		if err == nil || !strings.Contains(err.Error(), "in.jsonl line 1: "+want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
		if _, _, err := importFile(t, "in.jsonl", in, ImportSettings{Ignore: []string{key}}); err != nil {
			t.Errorf("%s, ignoring %s: %v", in, key, err)
		}
	}
	for in, want := range map[string]string{
		`{` + messages + `,"tools":["f"]}`:                                                                `tools: tool 1 is "f", expected an object with the name of a function`,
		`{` + messages + `,"tools":[{"x":1}]}`:                                                            "tools: tool 1 is an object, expected an object with the name",
		`{` + messages + `,"weight":0,"sample_weight":1}`:                                                 "weight: contradicts another key for the weight of the row",
		`{"prompt":"q","completion":"[{'role': 'assistant', 'content': 'a'}]"}`:                           "completion: is a list of messages as Python prints it",
		`{"question":"q","choices":["x","y"],"answer":2}`:                                                 "answer: is 2, expected the number of a choice, 0 to 1",
		`{"prompt":"zz","completion":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`: "prompt: is not among the messages of the dialogues",
	} {
		_, _, err := importFile(t, "in.jsonl", in, ImportSettings{})
		if err == nil || !strings.Contains(err.Error(), "in.jsonl line 1: "+want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
}

// TestHarmlessKeys: a key that says what a message says, or describes the row, is no reason to
// refuse the row.
func TestHarmlessKeys(t *testing.T) {
	const messages = `"messages":[{"role":"user","content":"q  r"},{"role":"assistant","content":"a"}]`
	const pair = `"prompt":"q","chosen":"a","rejected":"b"`
	for _, in := range []string{
		`{` + messages + `,"prompt":"q r","response":"a","response_model":"m","gen_response_configs":{"prompt":"x"}}`,
		`{` + messages + `,"train_on_input":false,"mask_prompt":true,"weight":1.0,"correct":true,"label":3}`,
		`{` + messages + `,"images":[],"videos":null,"rating":5,"split":"train"}`,
		`{"instruction":"add","prompt":"### Instruction:\nadd\n### Response:","output":"c"}`,
		`{` + pair + `,"messages":[{"role":"user","content":"q"}],"chosen_model":"m","response":" a","original_chosen":"b","generations":["a","c"]}`,
		`{` + pair + `,"margin":0,"tie":false,"winner":"chosen","label":true}`,
		`{"text":"t","response_time":"3","output":1,"label":false}`,
		`{"messages":[{"role":"user","content":"What does <image> mean in HTML?"},{"role":"assistant","content":"a"}]}`,
	} {
		if _, _, err := importFile(t, "in.jsonl", in, ImportSettings{}); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
	// If the user says that the rows are prompts, their answers are references.
	if _, r, err := importFile(t, "in.jsonl", `{"question":"q","answers":["a"],"context":"c"}`, ImportSettings{Format: Prompts}); err != nil || r.Rows != 1 {
		t.Errorf("named prompts: %v", err)
	}
}

// TestPromptsAndAnswers: layouts of prompts and answers that must not be learnt as they stand.
func TestPromptsAndAnswers(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"completion repeats the prompt", `{"prompt":"q","completion":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`, "user:q assistant:a"},
		{"completion repeats the prompt's end", `{"prompt":[{"role":"user","content":"p"},{"role":"assistant","content":"o"},{"role":"user","content":"q"}],"completion":[{"role":"user","content":"q "},{"role":"assistant","content":"a"}]}`, "user:p assistant:o user:q assistant:a"},
		{"completion with the system message", `{"prompt":"q","system":"s","completion":[{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`, "system:s user:q assistant:a"},
		{"dialogue and its answer", `{"prompt":"\n\nHuman: hi\n\nAssistant: yo\n\nHuman: q\n\nAssistant:","completion":" a"}`, "user:hi assistant:yo user:q assistant:a"},
		{"empty input and a context", `{"instruction":"i","input":"","context":"c","response":"a"}`, "user:i\nc assistant:a"},
		{"history", `{"query":"q","response":"a","history":[["x","y"]],"system":"s"}`, "system:s user:x assistant:y user:q assistant:a"},
		{"choices", `{"question":"q","choices":["x","y"],"answer":1}`, "user:q\nA. x\nB. y meta:B"},
		{"choices in the question", `{"question":"q (A) x (B) y","options":["x","y"],"answer":0}`, "user:q (A) x (B) y meta:A"},
		{"choices that are numbers", `{"question":"2+2?","choices":["3","4"],"answer":4}`, "user:2+2?\nA. 3\nB. 4 meta:4"},
		{"reasoning of a row", `{"question":"q","reasoning":"hm","response":"a"}`, "user:q assistant:(hm)a"},
		{"reasoning that the answer has", `{"question":"q","reasoning":"hm","response":"<think>hm</think>a"}`, "user:q assistant:<think>hm</think>a"},
		{"conversation", `{"conversation":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"turn":1}`, "user:q assistant:a"},
		{"calls that say nothing", `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","tool_calls":[{}],"function_call":{"name":"","arguments":""}}]}`, "user:q assistant:a"},
		{"blank calls", `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","tool_calls":" ","function_call":"null"}]}`, "user:q assistant:a"},
		{"weights of row and message", `{"messages":[{"role":"assistant","content":"a","weight":0.5},{"role":"assistant","content":"b"}],"weight":0.5}`, "assistant:a*0.25 assistant:b*0.5"},
	} {
		dst, _, err := importFile(t, "in.jsonl", c.in, ImportSettings{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		rows, _, err := table.ReadAll[table.Chat](dst)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, spell(rows[0])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	const kto = `{"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"label":0}`
	dst, _, err := importFile(t, "in.jsonl", kto, ImportSettings{Kind: table.Unpaired})
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.UnpairedPreference](dst)
	if err != nil || len(rows[0].Prompt) != 1 || len(rows[0].Completion) != 1 || rows[0].Label {
		t.Errorf("unpaired: %+v, %v", rows, err)
	}
}

// spell writes the messages and the answer in meta of a row on one line.
func spell(row table.Chat) string {
	var parts []string
	for _, m := range row.Messages {
		s := m.Role + ":"
		if m.Reasoning != "" {
			s += "(" + m.Reasoning + ")"
		}
		s += m.Content
		if m.Weight != nil {
			w, _ := json.Marshal(m.Weight)
			s += "*" + string(w)
		}
		parts = append(parts, s)
	}
	if a := row.Meta["answer"]; a != "" {
		parts = append(parts, "meta:"+a)
	}
	return strings.Join(parts, " ")
}

// TestReferences: an import says which columns of prompts are answers that nothing learns.
func TestReferences(t *testing.T) {
	const said = "answer is the reference of each prompt, not to learn from"
	if _, r, err := importFile(t, "in.jsonl", `{"question":"q","answer":"a"}`, ImportSettings{}); err != nil || !strings.Contains(r.String(), said) {
		t.Errorf("report %v, error %v", r, err)
	}
	if _, r, err := importFile(t, "in.jsonl", `{"question":"q","answer":"a","response":"r"}`, ImportSettings{}); err != nil || strings.Contains(r.String(), said) {
		t.Errorf("report %v, error %v", r, err)
	}
}
