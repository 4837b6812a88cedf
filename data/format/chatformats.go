package format

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// The converters in this file make chats. Alpaca and ShareGPT follow LLaMA-Factory's converters
// (src/llamafactory/data/converter.py).

func openAI(o *object) table.Record {
	return &table.Chat{Messages: withSystem(o, o.messages("user", "messages"))}
}

func shareGPT(o *object) table.Record {
	return &table.Chat{Messages: withSystem(o, o.messages("user", "conversations"))}
}

func alpaca(o *object) table.Record {
	ms := append(alpacaPrompt(o), chat.Message{Role: "assistant", Content: o.text("output")})
	return &table.Chat{Messages: ms}
}

func completion(o *object) table.Record {
	prompt := withSystem(o, o.messages("user", "prompt"))
	return &table.Chat{Messages: append(prompt, o.messages("assistant", "completion", "response")...)}
}

func prompts(o *object) table.Record {
	if o.has("instruction") && !o.has("prompt") {
		return &table.Chat{Messages: alpacaPrompt(o)}
	}
	return &table.Chat{Messages: withSystem(o, o.messages("user", "prompt", "question", "problem"))}
}

// alpacaPrompt returns the system message, the turns of the history, and a user message with
// instruction and input on lines of their own.
func alpacaPrompt(o *object) []chat.Message {
	ask := appendNonEmpty(appendNonEmpty(nil, o.text("instruction")), o.text("input"))
	ms := append(o.history(), chat.Message{Role: "user", Content: strings.Join(ask, "\n")})
	return withSystem(o, ms)
}

// history takes a list of [user, assistant] pairs.
func (o *object) history() []chat.Message {
	key, v := o.take("history")
	if v == nil {
		return nil
	}
	var turns [][]string
	if err := json.Unmarshal(v, &turns); err != nil {
		o.fail(key, fmt.Errorf("expected a list of pairs of texts: %w", err))
	}
	var ms []chat.Message
	for i, t := range turns {
		if len(t) != 2 {
			o.fail(key, fmt.Errorf("turn %d has %d texts, expected two: user and assistant", i+1, len(t)))
			return nil
		}
		ms = append(ms, chat.Message{Role: "user", Content: t[0]}, chat.Message{Role: "assistant", Content: t[1]})
	}
	return ms
}

// withSystem puts the row's system text, if any, before ms.
func withSystem(o *object, ms []chat.Message) []chat.Message {
	system := o.text("system", "system_prompt")
	if system == "" {
		return ms
	}
	return append([]chat.Message{{Role: "system", Content: system}}, ms...)
}
