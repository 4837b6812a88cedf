package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// parseMessages reads a list of messages, one message, or a string, which becomes a message of
// the given role.
func parseMessages(v json.RawMessage, role string) ([]chat.Message, error) {
	switch v[0] {
	case '"':
		s, err := parseText(v)
		return []chat.Message{{Role: role, Content: s}}, err
	case '{':
		m, err := parseMessage(v)
		return []chat.Message{m}, err
	case '[':
		return parseMessageList(v)
	}
	return nil, fmt.Errorf("is %s, expected messages", brief(v))
}

func parseMessageList(v json.RawMessage) ([]chat.Message, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, err
	}
	ms := make([]chat.Message, len(list))
	for i, raw := range list {
		var err error
		if ms[i], err = parseMessage(raw); err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
	}
	return ms, nil
}

// parseMessage reads {role, content} (OpenAI) or {from, value} (ShareGPT).
func parseMessage(v json.RawMessage) (chat.Message, error) {
	if v[0] != '{' {
		return chat.Message{}, fmt.Errorf("is %s, expected an object with role and content", brief(v))
	}
	o, err := parseObject(v)
	if err != nil {
		return chat.Message{}, err
	}
	said := o.text("role", "from")
	role, known := chat.RoleOf(strings.ToLower(said))
	if !known {
		o.fail("role", fmt.Errorf("is %q, expected system, user, assistant or tool", said))
	}
	m := chat.Message{Role: role, Content: o.content()}
	return m, o.err
}

// content takes a message's content: a string, or a list of parts whose texts it joins. It
// appends tool calls as JSON after the text.
func (o *object) content() string {
	key, v := o.take("content", "value")
	_, calls := o.take("tool_calls", "function_call")
	if v == nil && calls == nil {
		o.fail(key, fmt.Errorf("is missing"))
		return ""
	}
	var parts []string
	if v != nil {
		s, err := parseContent(v)
		o.fail(key, err)
		parts = appendNonEmpty(parts, s)
	}
	if calls != nil {
		var compact bytes.Buffer
		o.fail("tool_calls", json.Compact(&compact, calls))
		parts = appendNonEmpty(parts, compact.String())
	}
	return strings.Join(parts, "\n")
}

func parseContent(v json.RawMessage) (string, error) {
	if v[0] != '[' {
		return parseText(v)
	}
	var parts []struct {
		Type        string
		Text, Value *string
	}
	if err := json.Unmarshal(v, &parts); err != nil {
		return "", fmt.Errorf("is not a list of parts with type and text: %w", err)
	}
	var b strings.Builder
	for i, p := range parts {
		switch {
		case p.Type == "text" && p.Text != nil:
			b.WriteString(*p.Text)
		case p.Type == "text" && p.Value != nil:
			b.WriteString(*p.Value)
		default:
			return "", fmt.Errorf("part %d has type %q, herd supports text only", i+1, p.Type)
		}
	}
	return b.String(), nil
}

func appendNonEmpty(parts []string, s string) []string {
	if s == "" {
		return parts
	}
	return append(parts, s)
}
