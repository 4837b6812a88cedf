// Package chat holds the messages of a conversation and the names of their roles. Begin with
// Message; use RoleOf for role names from data sets and APIs. It knows no tokens: package
// template lays out messages for a model.
package chat

// Message is one turn of a chat. Role is System, User, Assistant, or another role that the
// chat template knows ("tool", "ipython").
type Message struct {
	Role    string `json:"role" yaml:"role"`
	Content string `json:"content" yaml:"content"`
}
