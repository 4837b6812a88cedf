package format

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// toolCalls takes OpenAI's tool_calls, or function_call, which preceded them.
func (o *object) toolCalls() []chat.Call {
	key, v := o.take("tool_calls")
	if v != nil && o.has("function_call") {
		o.fail(key, errors.New("is there and function_call too: herd cannot tell which one counts"))
	}
	if v == nil {
		if key, v = o.take("function_call"); v == nil {
			return nil
		}
	}
	calls, err := o.parseCalls(v)
	o.fail(key, err)
	return calls
}

// saidCalls takes the calls of ShareGPT's function_call turn: JSON in the text of the turn.
func (o *object) saidCalls() []chat.Call {
	key, v := o.take("value", "content")
	if v == nil {
		o.fail(key, errors.New("is missing"))
		return nil
	}
	calls, err := o.parseCalls(v)
	o.fail(key, err)
	return calls
}

// parseCalls reads a list of calls, or one call, as JSON or as JSON within a text.
func (o *object) parseCalls(v json.RawMessage) ([]chat.Call, error) {
	if v[0] == '"' {
		text, err := parseText(v)
		if err != nil {
			return nil, err
		}
		if v = json.RawMessage(strings.TrimSpace(text)); !json.Valid(v) {
			return nil, fmt.Errorf("is the text %s, expected JSON with name and arguments", brief(mustJSON(text)))
		}
	}
	if isEmpty(v) {
		return nil, nil
	}
	list := []json.RawMessage{v}
	if v[0] == '[' {
		list = nil
		if err := json.Unmarshal(v, &list); err != nil {
			return nil, err
		}
	}
	calls := make([]chat.Call, len(list))
	for i, raw := range list {
		var err error
		if calls[i], err = o.parseCall(raw); err != nil {
			return nil, fmt.Errorf("call %d: %w", i+1, err)
		}
	}
	return calls, nil
}

func mustJSON(text string) json.RawMessage {
	raw, _ := json.Marshal(text) // a string always has a JSON form
	return raw
}

// parseCall reads {id, type, function: {name, arguments}} or {name, arguments}.
func (o *object) parseCall(raw json.RawMessage) (chat.Call, error) {
	if raw[0] != '{' {
		return chat.Call{}, fmt.Errorf("is %s, expected an object with name and arguments", brief(raw))
	}
	p, err := o.parseObject(raw)
	if err != nil {
		return chat.Call{}, err
	}
	p.dropEmpty("arguments", "parameters")
	call := chat.Call{ID: p.name("id")}
	if kind := p.text("type"); kind != "" && kind != "function" {
		p.fail("type", fmt.Errorf("is %q, expected function", kind))
	}
	f, err := p.function()
	if err != nil {
		return call, err
	}
	if call.Name = f.text("name"); call.Name == "" {
		f.fail("name", errors.New("is missing"))
	}
	call.Arguments = f.arguments()
	f.refuseUnused()
	p.refuseUnused()
	return call, cmp.Or(p.err, f.err)
}

// function returns the object with the name and the arguments of a call: that under function, or
// the call itself.
func (o *object) function() (*object, error) {
	_, inner := o.take("function")
	if inner == nil {
		return o, nil
	}
	if inner[0] != '{' {
		return nil, fmt.Errorf("function: is %s, expected an object", brief(inner))
	}
	f, err := o.parseObject(inner)
	if err == nil {
		f.dropEmpty("arguments", "parameters")
	}
	return f, err
}

// arguments takes the arguments of a call: an object, or JSON of one in a text, as OpenAI
// writes it. A call without arguments has an empty object.
func (o *object) arguments() chat.JSON {
	key, v := o.take("arguments", "parameters")
	if v != nil && v[0] == '"' {
		text, err := parseText(v)
		o.fail(key, err)
		if v = json.RawMessage(strings.TrimSpace(text)); len(v) == 0 {
			v = nil
		}
	}
	if v == nil {
		return "{}"
	}
	arguments, err := chat.ParseJSON(v)
	if err != nil || !arguments.Begins('{') {
		o.fail(key, fmt.Errorf("is %s, expected a JSON object", brief(mustJSON(string(v)))))
		return "{}"
	}
	return arguments
}

// tools takes the row's list of functions that the assistant may call: JSON, or JSON in a text.
func (o *object) tools() chat.JSON {
	key, v := o.take("tools", "functions")
	if v != nil && v[0] == '"' {
		text, err := parseText(v)
		o.fail(key, err)
		v = json.RawMessage(strings.TrimSpace(text))
	}
	if len(v) == 0 || isEmpty(v) {
		return ""
	}
	list, err := chat.ParseJSON(v)
	if err != nil || !list.Begins('[') {
		o.fail(key, errors.New("expected a JSON list of functions"))
		return ""
	}
	o.fail(key, checkTools(v))
	return list
}

// checkTools returns an error for a tool that is no object with a name, or with a function that
// has one: a template would print nothing, or anything, for it.
func checkTools(list json.RawMessage) error {
	var tools []json.RawMessage
	if err := json.Unmarshal(list, &tools); err != nil {
		return err
	}
	for i, raw := range tools {
		var tool struct {
			Name     string
			Function struct{ Name string }
		}
		if raw[0] != '{' || json.Unmarshal(raw, &tool) != nil || tool.Name == "" && tool.Function.Name == "" {
			return fmt.Errorf("tool %d is %s, expected an object with the name of a function", i+1, brief(raw))
		}
	}
	return nil
}
