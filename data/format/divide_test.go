package format

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// TestLayoutsOfAPair: however a data set spells a pair, the same preference results.
func TestLayoutsOfAPair(t *testing.T) {
	say := func(role, content string) chat.Message { return chat.Message{Role: role, Content: content} }
	user, assistant := chat.User, chat.Assistant
	talk := []chat.Message{say(user, "u1"), say(assistant, "a1"), say(user, "u2")}
	good, bad := say(assistant, "good"), say(assistant, "bad")
	whole := func(last chat.Message, before ...chat.Message) []chat.Message {
		return append(append([]chat.Message{}, before...), last)
	}
	blank := []chat.Message{say(user, "u1 "), say(assistant, "\na1"), say(user, " u2")}
	system := say(chat.System, "s")
	type row map[string]any
	for _, withSystem := range []bool{false, true} {
		layouts := map[string]row{
			"explicit":                        {"prompt": talk, "chosen": whole(good), "rejected": whole(bad)},
			"explicit, one message":           {"prompt": talk, "chosen": good, "rejected": bad},
			"explicit, texts":                 {"prompt": talk, "chosen": "good", "rejected": "bad"},
			"implicit":                        {"chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"said twice":                      {"prompt": talk, "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"last turn":                       {"prompt": talk[2:], "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"last turn as text":               {"prompt": "u2", "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"first turn as text":              {"prompt": "u1", "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"blanks in the prompt":            {"prompt": blank, "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"blanks in the rejected dialogue": {"chosen": whole(good, talk...), "rejected": whole(bad, blank...)},
			"blank in a prompt as text":       {"prompt": "u2\n", "chosen": whole(good, talk...), "rejected": whole(bad, talk...)},
			"prompt continued by dialogues":   {"prompt": talk[:2], "chosen": whole(good, talk[2]), "rejected": whole(bad, talk[2])},
			"sharegpt":                        {"conversations": talk, "chosen": good, "rejected": bad},
			"openai":                          {"input": row{"messages": talk}, "preferred_output": whole(good), "non_preferred_output": whole(bad)},
			"cells of a CSV file":             {"prompt": text(talk), "chosen": text(whole(good)), "rejected": text(whole(bad))},
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
	for _, keys := range [][]string{{"prompt"}, {"conversations"}, {"chosen", "rejected"}} {
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
