package serve

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// speakers are the roles that a request may name.
var speakers = []string{"system", "developer", "user", "assistant"}

// readMessages takes the messages of a chat.
func readMessages(f *fields) ([]chat.Message, error) {
	var list []json.RawMessage
	if !read(f, "messages", "a list of messages", &list) && f.err == nil {
		f.fail("messages", "is not given")
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

// bare are parts of a message that are refused unless they are empty: what OpenAI's
// clients send back of the assistant's own messages.
var bare = []string{"annotations", "audio", "function_call", "name", "refusal", "tool_call_id", "tool_calls"}

func readMessage(raw json.RawMessage, path string) (m chat.Message, err error) {
	f, err := parseFields(raw, path)
	if err != nil {
		return m, err
	}
	var name string
	if !f.text("role", &name) {
		f.fail("role", "is not given")
	}
	role, _ := chat.RoleOf(name)
	if !slices.Contains(speakers, name) {
		f.fail("role", "is %q, expected system, developer, user or assistant", excerpt([]byte(name)))
	}
	m = chat.Message{Role: role, Content: readContent(f)}
	for _, name := range bare {
		if v := f.take(name); v != nil && !slices.Contains([]string{`[]`, `""`}, compact(v)) && f.err == nil {
			f.err = unsupported(path + name)
		}
	}
	return m, f.end()
}

// readContent takes what a message says: a string, or a list of parts that are all
// text.
func readContent(f *fields) string {
	raw := f.take("content")
	var text string
	var parts []json.RawMessage
	switch {
	case raw == nil:
		f.fail("content", "is not given")
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
		f.fail("content", "has a part that is no object")
		return ""
	}
	var kind string
	part.text("type", &kind)
	if kind != "text" {
		part.fail("type", "is %q, expected text: this server takes nothing else", excerpt([]byte(kind)))
	}
	if !part.text("text", &text) {
		part.fail("text", "is not given")
	}
	if part.end() != nil && f.err == nil {
		f.err = part.err
	}
	return text
}
