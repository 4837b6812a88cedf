package serve

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// prompt is what a model shall go on from.
type prompt struct {
	param    string // that it came in, for errors
	ids      []token.ID
	messages []chat.Message // if it is a chat
}

// unmarshals reads raw into v, if it is of that kind. (null would be of any.)
func unmarshals(raw json.RawMessage, v any) bool {
	return raw != nil && string(raw) != "null" && json.Unmarshal(raw, v) == nil
}

// readPrompts takes the texts of a parameter: a string, a list of strings, a list of
// token ids, or a list of such lists. What stands for a token in a text is not
// looked for: a text is a text.
func readPrompts(f *fields, m *served, name string) (list []prompt) {
	raw := f.take(name)
	if raw == nil {
		f.fail(name, "is not given")
		return nil
	}
	if p, ok := onePrompt(m, raw); ok {
		p.param = f.path + name
		return []prompt{p}
	}
	var parts []json.RawMessage
	_ = json.Unmarshal(raw, &parts) // what is no list has no parts
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
		f.fail(name, "is neither a string, nor token ids, nor a list of one of these: %s", excerpt(raw))
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

// tokenIDs returns a list of ids, nil if raw is anything else. (null would be 0.)
func tokenIDs(raw json.RawMessage) (ids []token.ID) {
	if bytes.Contains(raw, []byte("null")) || !unmarshals(raw, &ids) {
		return nil
	}
	return ids
}
