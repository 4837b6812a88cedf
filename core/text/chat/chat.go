// Package chat holds the turns of a conversation and the names of who speaks. It
// knows no tokens: package template lays messages out for a model.
package chat

// Message is one turn of a chat. Role is System, User, Assistant or whatever
// other role the chat template knows ("tool", "ipython").
type Message struct {
	Role    string `json:"role" yaml:"role"`
	Content string `json:"content" yaml:"content"`
}
