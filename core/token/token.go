// Package token holds the nouns that every room shares: token ids, chat
// messages, and the packed batch that a model computes on. It imports nothing
// of ours.
package token

// ID is an index into a tokenizer's vocabulary.
type ID int32

// Message is one turn of a chat. Role is "system", "user", "assistant" or
// whatever other role the chat template knows ("tool", "ipython").
type Message struct {
	Role    string `json:"role" yaml:"role"`
	Content string `json:"content" yaml:"content"`
}
