package format

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// TestLayoutsOfAPair: however a data set spells a pair, the same preference results.
func TestLayoutsOfAPair(t *testing.T) {
	say := func(role, content string) chat.Message { return chat.Message{Role: role, Content: content} }
	user, assistant := chat.User, chat.Assistant
	talk := []chat.Message{say(user, "u one"), say(assistant, "a1"), say(user, "u2")}
	good, bad := say(assistant, "good"), say(assistant, "bad")
	whole := func(last chat.Message, before ...chat.Message) []chat.Message {
		return append(append([]chat.Message{}, before...), last)
	}
	blank := []chat.Message{say(user, "u one "), say(assistant, "\na1"), say(user, " u2")}
	spaced := []chat.Message{say(user, "u  one"), say(assistant, "a1\n"), say(user, " u2\t")}
	const anthropic = "\n\nHuman: u one\n\nAssistant: a1\n\nHuman: u2\n\nAssistant: "
	system := say(chat.System, "s")
	format := testmodel.Format(t, testmodel.Tokenizer(t, 275, "the herd, the llamas, the herd", "the herders herd the llamas"))
	type row map[string]any
	for _, withSystem := range []bool{false, true} {
		layouts := map[string]row{
			"explicit":                          {"prompt": talk, "chosen": whole(good), "rejected": whole(bad)},
			"explicit, one message":             {"prompt": talk, "chosen": good, "rejected": bad},
			"explicit, texts":                   {"prompt": talk, "chosen": "good", "rejected": "bad"},
			"implicit":                          {"chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"said twice":                        {"prompt": talk, "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"last turn":                         {"prompt": talk[2:], "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"last turn as text":                 {"prompt": "u2", "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"first turn as text":                {"prompt": "u one", "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"blanks in the prompt":              {"prompt": blank, "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"blanks in the rejected dialogue":   {"chosen": whole(good, talk...), "rejected": whole(bad, blank...)},
			"blank in a prompt as text":         {"prompt": "u2\n", "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"prompt continued by dialogues":     {"prompt": talk[:2], "chosen": whole(good, talk[2]), "rejected": whole(bad, talk[2])},
			"prompt ends where dialogues begin": {"prompt": talk, "chosen": whole(good, talk[2]), "rejected": whole(bad, talk[2])},
			"responses share their start":       {"prompt": talk[:1], "chosen": whole(good, talk[1:]...), "rejected": whole(bad, talk[1:]...)},
			"blanks within the prompt":          {"prompt": "u\none", "chosen": whole(good, talk...), "rejected": whole(bad, spaced...)},
			"anthropic":                         {"chosen": anthropic + "good", "rejected": anthropic + " bad\n"},
			"anthropic, stripped":               {"chosen": strings.TrimSpace(anthropic) + " good", "rejected": strings.TrimSpace(anthropic) + " bad"},
			"anthropic prompt":                  {"prompt": anthropic, "chosen": " good", "rejected": "bad"},
			"sharegpt":                          {"conversations": talk, "chosen": good, "rejected": bad},
			"openai":                            {"input": row{"messages": talk}, "preferred_output": whole(good), "non_preferred_output": whole(bad)},
			"cells of a CSV file":               {"prompt": text(talk), "chosen": text(whole(good)), "rejected": text(whole(bad))},
		}
		want := table.Preference{Prompt: talk, Chosen: whole(good), Rejected: whole(bad)}
		if withSystem {
			want.Prompt = whole(talk[2], system, talk[0], talk[1])
		}
		for name, in := range layouts {
			for _, form := range systemForms(in, system, withSystem) {
				raw, _ := json.Marshal(form)
				dst, _, err := importFile(t, "in.jsonl", string(raw), ImportSettings{})
				if err != nil {
					t.Errorf("%s %s: %v", name, raw, err)
					continue
				}
				rows, _, err := table.ReadAll[table.Preference](dst)
				if err != nil {
					t.Fatal(err)
				}
				got := table.Preference{Prompt: rows[0].Prompt, Chosen: rows[0].Chosen, Rejected: rows[0].Rejected}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %s (-want +got):\n%s", name, raw, diff)
				}
				e, _, err := example.Responses(format, "id", got.Prompt, got.Chosen, got.Rejected)
				if err != nil || len(e.Responses) != 2 {
					t.Errorf("%s: laid out for DPO: %v", name, err)
				}
			}
		}
	}
}

// text returns messages as JSON in a text.
func text(ms []chat.Message) string {
	raw, _ := json.Marshal(ms)
	return string(raw)
}

// systemForms returns the row as it is, or with a system message in each of the places where
// data sets have it.
func systemForms(in map[string]any, system chat.Message, with bool) (forms []map[string]any) {
	if !with {
		return append(forms, in)
	}
	put := func(change func(row map[string]any)) {
		row := map[string]any{}
		for k, v := range in {
			row[k] = v
		}
		change(row)
		forms = append(forms, row)
	}
	before := func(v any) any { return append([]chat.Message{system}, v.([]chat.Message)...) }
	put(func(row map[string]any) { row["system"] = "s" })
	if ms, ok := in["chosen"].([]chat.Message); ok && in["prompt"] == nil && len(ms) > 1 {
		put(func(row map[string]any) { row["prompt"] = []chat.Message{system} })
	}
	for _, keys := range [][]string{{"prompt"}, {"conversations"}, {"chosen", "rejected"}, {"chosen"}} {
		all := true
		for _, key := range keys {
			ms, ok := in[key].([]chat.Message)
			all = all && ok && len(ms) > 1
		}
		if !all {
			continue
		}
		put(func(row map[string]any) {
			for _, key := range keys {
				row[key] = before(row[key])
			}
		})
		put(func(row map[string]any) {
			row["system"] = " s"
			for _, key := range keys {
				row[key] = before(row[key])
			}
		})
	}
	return forms
}
