package template

import (
	"fmt"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
)

// part is a part of a message whose text a template may write.
type part int

const (
	partRole part = iota
	partContent
	partReasoning
	partResult // name and id of a tool's result, or the speaker's name
	partCalls  // the first call; the others follow
)

// stride is the number of origins of a message. Calls that have no origin left share the last one.
const stride = 64

// Origins of the text that a template writes: the template itself, the tools, and for each
// message its parts.
const (
	ofTemplate jinja.Origin = 0
	fromTools  jinja.Origin = -1
)

func from(message int, p part) jinja.Origin { return jinja.Origin(stride*message + int(p) + 1) }

func fromCall(message, call int) jinja.Origin {
	return from(message, min(partCalls+part(call), stride-1))
}

// messageOf returns the message that text came from, or -1, and which part of it.
func messageOf(o jinja.Origin) (message int, p part) {
	if o <= 0 {
		return -1, partRole
	}
	return int(o-1) / stride, min(part(int(o-1)%stride), partCalls)
}

// isSaid reports whether the part is something that the speaker said, and no header.
func (p part) isSaid() bool { return p == partContent || p == partReasoning || p == partCalls }

// conversation holds messages as a template sees them.
type conversation struct {
	messages []jinja.Value
	bytes    int
}

func (c conversation) first(n int) conversation { return conversation{c.messages[:n], c.bytes} }

func valuesOf(messages []chat.Message) (conversation, error) {
	if len(messages) == 0 {
		return conversation{}, fmt.Errorf("chat: no messages")
	}
	c := conversation{messages: make([]jinja.Value, len(messages))}
	for i, m := range messages {
		if m.Role == "" {
			return conversation{}, fmt.Errorf("chat: message %d has no role", i)
		}
		d, err := valueOf(m, i)
		if err != nil {
			return conversation{}, fmt.Errorf("chat: message %d: %w", i, err)
		}
		c.messages[i] = d
		c.bytes += messageBytes(m)
	}
	return c, nil
}

// valueOf returns message i as transformers passes it to templates: with the keys of OpenAI's
// chat API. Keys of what the message does not have are absent, because templates ask whether
// they are there.
func valueOf(m chat.Message, i int) (*jinja.Dict, error) {
	d := jinja.NewDict()
	set(d, "role", jinja.NewText(m.Role, from(i, partRole)))
	set(d, "content", jinja.NewText(m.Content, from(i, partContent)))
	for name, text := range map[string]jinja.Text{
		"reasoning_content": jinja.NewText(m.Reasoning, from(i, partReasoning)),
		"tool_call_id":      jinja.NewText(m.ToolCallID, from(i, partResult)),
		"name":              jinja.NewText(m.Name, from(i, partResult)),
	} {
		if text.String() != "" {
			set(d, name, text)
		}
	}
	if len(m.ToolCalls) == 0 {
		return d, nil
	}
	list := make([]jinja.Value, len(m.ToolCalls))
	for k, call := range m.ToolCalls {
		var err error
		if list[k], err = valueOfCall(call, fromCall(i, k)); err != nil {
			return nil, err
		}
	}
	set(d, "tool_calls", jinja.NewList(list...))
	return d, nil
}

// valueOfCall returns a call as templates expect it: the arguments are an object.
func valueOfCall(call chat.Call, origin jinja.Origin) (jinja.Value, error) {
	arguments, err := jinja.FromJSON([]byte(call.Arguments), origin)
	if err != nil {
		return nil, fmt.Errorf("the arguments of %s: %w", call.Name, err)
	}
	function := jinja.NewDict()
	set(function, "name", jinja.NewText(call.Name, origin))
	set(function, "arguments", arguments)
	d := jinja.NewDict()
	if call.ID != "" {
		set(d, "id", jinja.NewText(call.ID, origin))
	}
	set(d, "type", jinja.NewText("function", ofTemplate))
	set(d, "function", function)
	return d, nil
}

func set(d *jinja.Dict, key string, v jinja.Value) { d.Set(jinja.NewText(key, ofTemplate), v) }

// messageBytes is what a rendering's work is limited by.
func messageBytes(m chat.Message) int {
	n := len(m.Role) + len(m.Content) + len(m.Reasoning) + len(m.ToolCallID) + len(m.Name)
	for _, call := range m.ToolCalls {
		n += len(call.ID) + len(call.Name) + len(call.Arguments)
	}
	return n
}
