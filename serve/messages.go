package serve

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// allowedRoles lists the roles that a request may name.
var allowedRoles = []string{"system", "developer", "user", "assistant"}

// readMessages takes the messages of a chat.
func readMessages(f *fields) ([]chat.Message, error) {
	var list []json.RawMessage
	if !read(f, "messages", "a list of messages", &list) && f.err == nil {
		f.fail("messages", "is missing")
	}
	if len(list) == 0 {
		f.fail("messages", "is an empty list")
	}
	messages := make([]chat.Message, 0, len(list))
	for i, raw := range list {
		m, err := readMessage(raw, fmt.Sprintf("messages[%d].", i))
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// emptyOnly lists fields of a message that must be empty. OpenAI's clients send them back
// with the assistant's messages.
var emptyOnly = []string{"annotations", "audio", "function_call", "name", "refusal", "tool_call_id", "tool_calls"}

func readMessage(raw json.RawMessage, path string) (m chat.Message, err error) {
	f, err := parseFields(raw, path)
	if err != nil {
		return m, err
	}
	var name string
	if !f.text("role", &name) {
		f.fail("role", "is missing")
	}
	role, _ := chat.RoleOf(name)
	if !slices.Contains(allowedRoles, name) {
		f.fail("role", "is %q, expected system, developer, user or assistant", excerpt([]byte(name)))
	}
	m = chat.Message{Role: role, Content: readContent(f)}
	for _, name := range emptyOnly {
		if v := f.take(name); v != nil && !slices.Contains([]string{`[]`, `""`}, compact(v)) && f.err == nil {
			f.err = unsupported(path + name)
		}
	}
	return m, f.end()
}

// readContent takes the content of a message: a string, or a list of text parts.
func readContent(f *fields) string {
	raw := f.take("content")
	var text string
	var parts []json.RawMessage
	switch {
	case raw == nil:
		f.fail("content", "is missing")
	case unmarshals(raw, &text):
		return text
	case !unmarshals(raw, &parts):
		f.fail("content", "is neither a string nor a list of parts")
	}
	var b strings.Builder
	for i, part := range parts {
		b.WriteString(readPart(f, part, fmt.Sprintf("%scontent[%d].", f.path, i)))
	}
	return b.String()
}

func readPart(f *fields, raw json.RawMessage, path string) (text string) {
	part, err := parseFields(raw, path)
	if err != nil {
		f.fail("content", "has a part that is not an object")
		return ""
	}
	var kind string
	part.text("type", &kind)
	if kind != "text" {
		part.fail("type", "is %q, expected text: this server accepts only text", excerpt([]byte(kind)))
	}
	if !part.text("text", &text) {
		part.fail("text", "is missing")
	}
	if part.end() != nil && f.err == nil {
		f.err = part.err
	}
	return text
}
