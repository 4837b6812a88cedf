// Package chat holds the messages of a conversation and the names of their roles. Begin with
// Message; use RoleOf for role names from data sets and APIs. It knows no tokens: package
// template lays out messages for a model.
package chat

import "slices"

// Message is one turn of a chat. The JSON names are those of OpenAI's chat API, except that
// Arguments of a call are an object, as chat templates expect them, and not a string.
type Message struct {
	Role    string `json:"role"` // System, User, Assistant, Tool, or another role of the template ("ipython")
	Content string `json:"content"`

	Reasoning  string `json:"reasoning_content,omitempty"` // what the assistant thought before Content
	ToolCalls  []Call `json:"tool_calls,omitempty"`        // functions that the assistant calls
	ToolCallID string `json:"tool_call_id,omitempty"`      // of a tool's result: the call that it answers
	Name       string `json:"name,omitempty"`              // of the speaker, or of the function that gave a result

	// Weight is what each token of an assistant's message counts in a loss: 0 is context from
	// which nothing is learnt. nil counts 1.
	Weight *float64 `json:"weight,omitempty"`
}

// Call is a call of a function.
type Call struct {
	ID        string `json:"id,omitempty"` // "" if the source gives none
	Name      string `json:"name"`
	Arguments JSON   `json:"arguments"` // a JSON object
}

// LossWeight returns what each token of the message counts in a loss if the assistant said it.
func (m Message) LossWeight() float64 {
	if m.Weight == nil {
		return 1
	}
	return *m.Weight
}

// IsEmpty reports whether the message says nothing: no content, reasoning or calls.
func (m Message) IsEmpty() bool { return m.Content == "" && m.Reasoning == "" && len(m.ToolCalls) == 0 }

// Same reports whether two messages say the same. Weights do not count.
func (m Message) Same(other Message) bool {
	return m.Role == other.Role && m.Content == other.Content && m.Reasoning == other.Reasoning &&
		m.ToolCallID == other.ToolCallID && m.Name == other.Name && slices.Equal(m.ToolCalls, other.ToolCalls)
}

// Same reports whether two lists of messages say the same. Weights do not count.
func Same(a, b []Message) bool { return slices.EqualFunc(a, b, Message.Same) }
