package data

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// The converters of this file make chats. Alpaca and ShareGPT follow
// LLaMA-Factory's converters (src/llamafactory/data/converter.py).

func openAI(o *object) record {
	return &Chat{Messages: withSystem(o, o.messages("user", "messages"))}
}

func shareGPT(o *object) record {
	return &Chat{Messages: withSystem(o, o.messages("user", "conversations"))}
}

func alpaca(o *object) record {
	ms := append(alpacaPrompt(o), token.Message{Role: "assistant", Content: o.text("output")})
	return &Chat{Messages: ms}
}

func completion(o *object) record {
	prompt := withSystem(o, o.messages("user", "prompt"))
	return &Chat{Messages: append(prompt, o.messages("assistant", "completion", "response")...)}
}

func prompts(o *object) record {
	if o.has("instruction") && !o.has("prompt") {
		return &Chat{Messages: alpacaPrompt(o)}
	}
	return &Chat{Messages: withSystem(o, o.messages("user", "prompt", "question", "problem"))}
}

// alpacaPrompt is the system message, the turns of the history, and instruction
// and input on lines of their own.
func alpacaPrompt(o *object) []token.Message {
	ask := appendNonEmpty(appendNonEmpty(nil, o.text("instruction")), o.text("input"))
	ms := append(o.history(), token.Message{Role: "user", Content: strings.Join(ask, "\n")})
	return withSystem(o, ms)
}

// history takes a list of [user, assistant] pairs.
func (o *object) history() []token.Message {
	key, v := o.take("history")
	if v == nil {
		return nil
	}
	var turns [][]string
	if err := json.Unmarshal(v, &turns); err != nil {
		o.fail(key, fmt.Errorf("expected a list of pairs of texts: %w", err))
	}
	var ms []token.Message
	for i, t := range turns {
		if len(t) != 2 {
			o.fail(key, fmt.Errorf("turn %d has %d texts, expected what the user and what the assistant said", i+1, len(t)))
			return nil
		}
		ms = append(ms, token.Message{Role: "user", Content: t[0]}, token.Message{Role: "assistant", Content: t[1]})
	}
	return ms
}

// withSystem puts the row's system text, if it has one, before ms.
func withSystem(o *object, ms []token.Message) []token.Message {
	system := o.text("system", "system_prompt")
	if system == "" {
		return ms
	}
	return append([]token.Message{{Role: "system", Content: system}}, ms...)
}
