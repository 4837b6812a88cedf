package serve

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// prompt is a text for a model to continue.
type prompt struct {
	param    string // where the request has it, for errors
	ids      []token.ID
	messages []chat.Message // if the prompt is a chat
}

// unmarshals decodes raw into v, and reports whether raw has the type of v. null has none.
func unmarshals(raw json.RawMessage, v any) bool {
	return raw != nil && string(raw) != "null" && json.Unmarshal(raw, v) == nil
}

// readPrompts takes the prompts in a parameter: a string, a list of strings, a list of
// token ids, or a list of such lists. The name of a special token in a text stays text.
func readPrompts(f *fields, m *served, name string) (list []prompt) {
	raw := f.take(name)
	if raw == nil {
		f.fail(name, "is missing")
		return nil
	}
	if p, ok := onePrompt(m, raw); ok {
		p.param = f.path + name
		return []prompt{p}
	}
	var parts []json.RawMessage
	_ = json.Unmarshal(raw, &parts) // anything but a list has no parts
	for i, part := range parts {
		p, ok := onePrompt(m, part)
		if !ok {
			list = nil
			break
		}
		p.param = fmt.Sprintf("%s%s[%d]", f.path, name, i)
		list = append(list, p)
	}
	if list == nil {
		f.fail(name, "is %s, expected a string, token ids, or a list of either", excerpt(raw))
	}
	return list
}

func onePrompt(m *served, raw json.RawMessage) (p prompt, ok bool) {
	var text string
	if unmarshals(raw, &text) {
		return prompt{ids: m.Tokenizer.Prompt(text)}, true
	}
	p.ids = tokenIDs(raw)
	return p, p.ids != nil
}

// tokenIDs returns a list of ids, or nil if raw is anything else. It refuses null, which
// encoding/json reads as 0.
func tokenIDs(raw json.RawMessage) (ids []token.ID) {
	if bytes.Contains(raw, []byte("null")) || !unmarshals(raw, &ids) {
		return nil
	}
	return ids
}
