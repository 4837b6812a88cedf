package table

import (
	"encoding/hex"

	"github.com/zeebo/xxh3"

	"github.com/herd-lm/herd/core/text/chat"
)

// PromptOf returns the messages of a row before the answer: those of a chat without a final
// message of the assistant, and the prompt of other rows. A document has none.
func PromptOf(r Record) []chat.Message {
	switch r := r.(type) {
	case *Chat:
		if last := len(r.Messages) - 1; last >= 0 && r.Messages[last].Role == chat.Assistant {
			return r.Messages[:last]
		}
		return r.Messages
	case *Preference:
		return r.Prompt
	case *UnpairedPreference:
		return r.Prompt
	case *Sample:
		return r.Prompt
	}
	return nil
}

// PromptID returns a hash of the messages before the answer, in the form of a ContentID. Rows of
// different kinds with the same prompt have the same PromptID. The weights of messages do not
// count.
func PromptID(r Record) string {
	c := content{xxh3.New()}
	var plain []chat.Message
	for _, m := range PromptOf(r) {
		m.Weight = nil
		plain = append(plain, m)
	}
	c.messages(plain)
	sum := c.Sum128().Bytes()
	return hex.EncodeToString(sum[:])
}
