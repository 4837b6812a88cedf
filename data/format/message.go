package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// parseMessages reads a list of messages, one message, or a string, which becomes a message of
// the given role.
func (r *reading) parseMessages(v json.RawMessage, role string) ([]chat.Message, error) {
	switch v[0] {
	case '"':
		s, err := parseText(v)
		if list := listInText(s); err == nil && list != nil { // a cell of a CSV file
			return r.parseMessageList(list)
		}
		if pythonList.MatchString(s) {
			return nil, errors.New("is a list of messages as Python prints it, which is no JSON: write the column as JSON")
		}
		return []chat.Message{{Role: role, Content: s}}, err
	case '{':
		m, err := r.parseMessage(v)
		return []chat.Message{m}, err
	case '[':
		return r.parseMessageList(v)
	}
	return nil, fmt.Errorf("is %s, expected messages", brief(v))
}

// listInText returns the JSON list of messages that a text holds, or nil. A text that only
// looks like one, as code may, stays a text.
func listInText(s string) json.RawMessage {
	if !strings.HasPrefix(s, "[{") {
		return nil
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal([]byte(s), &list) != nil {
		return nil
	}
	for _, m := range list {
		_, role := m["role"]
		_, from := m["from"]
		_, content := m["content"]
		_, value := m["value"]
		if !role && !from || !content && !value {
			return nil
		}
	}
	return json.RawMessage(s)
}

// pythonList matches the beginning of messages in a cell that str() made of a list.
var pythonList = regexp.MustCompile(`^\[\{'(role|content|from|value)': ?['"]`)

func (r *reading) parseMessageList(v json.RawMessage) ([]chat.Message, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, err
	}
	ms := make([]chat.Message, len(list))
	for i, raw := range list {
		var err error
		if ms[i], err = r.parseMessage(raw); err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
	}
	return ms, nil
}

// parseMessage reads {role, content} (OpenAI) or {from, value} (ShareGPT). A key that could
// change what is learnt and that herd does not know is an error.
func (r *reading) parseMessage(v json.RawMessage) (chat.Message, error) {
	if v[0] != '{' {
		return chat.Message{}, fmt.Errorf("is %s, expected an object with role and content", brief(v))
	}
	o, err := r.parseObject(v)
	if err != nil {
		return chat.Message{}, err
	}
	o.dropEmpty("content", "value")
	said := strings.ToLower(o.text("role", "from"))
	role, known := chat.RoleOf(said)
	if !known {
		o.fail("role", fmt.Errorf("is %q, expected system, user, assistant or tool", said))
	}
	m := chat.Message{Role: role}
	if said == "function_call" {
		m.ToolCalls = o.saidCalls()
	} else {
		m.Content = o.content()
		m.ToolCalls = o.toolCalls()
	}
	m.Reasoning = o.onlyText(reasonings...)
	m.ToolCallID, m.Name = o.name("tool_call_id"), o.text("name")
	m.Weight = o.lossWeight(role)
	if role != chat.Assistant && (m.Reasoning != "" || m.ToolCalls != nil) {
		o.fail("role", fmt.Errorf("is %s, but only the assistant reasons and calls functions", role))
	}
	o.refuseUnused()
	return m, o.err
}

// dropEmpty removes the keys whose value says nothing, except the given ones: an empty list of
// tool calls is no call.
func (o *object) dropEmpty(except ...string) {
	for key, v := range o.keys {
		if isEmpty(v) && !slices.Contains(except, key) {
			delete(o.keys, key)
		}
	}
}

// isEmpty reports whether a value says nothing: null, white space, or a list or an object of such
// values.
func isEmpty(v json.RawMessage) bool {
	const most = 256 // bytes: a longer value says something, and need not be parsed twice
	switch v[0] {
	case 'n':
		return true
	case '"', '[', '{':
		var value any
		return len(v) <= most && json.Unmarshal(v, &value) == nil && saysNothing(value)
	}
	return false
}

func saysNothing(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(value) == ""
	case []any:
		return !slices.ContainsFunc(value, func(v any) bool { return !saysNothing(v) })
	case map[string]any:
		for _, v := range value {
			if !saysNothing(v) {
				return false
			}
		}
		return true
	}
	return false
}

// content takes a message's content: a string, or a list of parts whose texts it joins. It may
// be missing if the message calls functions.
func (o *object) content() string {
	key, v := o.take("content", "value")
	if v == nil {
		if !o.has("tool_calls") && !o.has("function_call") {
			o.fail(key, errors.New("is missing"))
		}
		return ""
	}
	s, err := o.parseContent(v)
	o.fail(key, err)
	return s
}

func (o *object) parseContent(v json.RawMessage) (string, error) {
	if v[0] != '[' {
		return parseText(v)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(v, &parts); err != nil {
		return "", err
	}
	var b strings.Builder
	for i, raw := range parts {
		text, err := o.parsePart(raw)
		if err != nil {
			return "", fmt.Errorf("part %d %w", i+1, err)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// parsePart returns the text of a part of a content.
func (o *object) parsePart(raw json.RawMessage) (string, error) {
	if raw[0] == '"' {
		return parseText(raw)
	}
	if raw[0] != '{' {
		return "", fmt.Errorf("is %s, expected a part with type and text", brief(raw))
	}
	p, err := o.parseObject(raw)
	if err != nil {
		return "", err
	}
	p.dropEmpty("text", "value")
	if kind := p.text("type"); kind != "text" {
		return "", fmt.Errorf("has type %q, herd supports text only", kind)
	}
	key, v := p.take("text", "value")
	if v == nil {
		return "", fmt.Errorf("has no %s", key)
	}
	text, err := parseText(v)
	p.fail(key, err)
	p.refuseUnused()
	return text, p.err
}

// onlyText takes the text of the one key that is present. Several with different texts are an
// error.
func (o *object) onlyText(keys ...string) (text string) {
	found := ""
	for _, key := range keys {
		if !o.has(key) {
			continue
		}
		switch next := o.text(key); {
		case found == "":
			found, text = key, next
		case next != text:
			o.fail(key, fmt.Errorf("differs from %s: herd cannot tell which one counts", found))
		}
	}
	return text
}

// harmless lists keys of messages that describe a message and change nothing that a model
// learns. herd does not keep them, and says so.
var harmless = []string{
	"id", "message_id", "parent_id", "uuid", "index", "turn", "turn_id", "turn_identifier", "idx",
	"timestamp", "created", "created_at", "create_time", "updated_at", "update_time", "date", "time",
	"lang", "language", "country", "state", "header", "hashed_ip", "redacted", "toxic", "model",
	"token_count", "num_tokens", "tokens", "source", "end_turn",
}

// refuseUnused refuses keys of a message, part or call that nothing has taken, by name. Keys
// that are harmless or that the user wants to ignore are counted.
func (o *object) refuseUnused() {
	for _, key := range slices.Sorted(maps.Keys(o.keys)) {
		switch {
		case o.used[key] || isEmpty(o.keys[key]):
		case slices.Contains(harmless, key) || o.ignores(key):
			o.drop("messages." + key)
		default:
			o.fail(key, errors.New("is a key that herd does not know: it may change what is to be learnt, so herd drops it only if you ask it to ignore the key"))
		}
	}
}
