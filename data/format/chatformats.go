package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// The converters in this file make chats. Alpaca and ShareGPT follow LLaMA-Factory's converters
// (src/llamafactory/data/converter.py).

func openAI(o *object) table.Record {
	return o.chat(o.withSystem(o.messages("user", "messages", "conversation")))
}

func shareGPT(o *object) table.Record {
	return o.chat(o.withSystem(o.messages("user", "conversations")))
}

func alpaca(o *object) table.Record {
	return o.chat(o.answered(o.alpacaPrompt(), "output", "response"))
}

// The names of a prompt and of its answer in data sets of two columns.
var (
	promptKeys = []string{"prompt", "question", "query", "problem", "input"}
	answerKeys = []string{"completion", "response", "output"}
)

func completion(o *object) table.Record {
	return o.chat(o.answered(o.ask(), answerKeys...))
}

func isCompletion(o *object, forced bool) bool {
	return forced || o.hasAny(promptKeys...) && o.hasAny(answerKeys...)
}

// qa learns the answers that prompts keep as references: GSM8K's question and answer.
func qa(o *object) table.Record {
	return o.chat(o.answered(o.ask(), referenceKeys...))
}

// seedTask is a task of self-instruct's seeds: an instruction with one instance.
func seedTask(o *object) table.Record {
	_, v := o.take("instances")
	var instances []struct{ Input, Output string }
	if err := json.Unmarshal(v, &instances); err != nil || len(instances) != 1 {
		o.fail("instances", errors.New("expected a list of one object with input and output"))
		return &table.Chat{}
	}
	ask := appendNonEmpty(appendNonEmpty(nil, o.text("instruction")), instances[0].Input)
	return o.chat([]chat.Message{{Role: chat.User, Content: strings.Join(ask, "\n")}, {Role: chat.Assistant, Content: instances[0].Output}})
}

// referenceKeys are names of the right answer to a prompt, which a rule compares with answers
// that a model gives. Rows of prompts keep them as meta columns.
var referenceKeys = []string{"answer", "solution", "reference", "target", "ground_truth", "expected_answer", "final_answer", "correct_answer"}

func prompts(o *object) table.Record {
	var ms []chat.Message
	if o.has("instruction") && !o.has("prompt") {
		ms = o.alpacaPrompt()
	} else {
		ms = o.ask()
	}
	return o.chat(ms)
}

// chat returns a chat of the messages with the row's tools and weight. A row with a verdict on
// its answer is no chat to learn from.
func (o *object) chat(ms []chat.Message) *table.Chat {
	if key, _, ok := o.verdict(); ok && len(ms) > 0 && ms[len(ms)-1].Role == chat.Assistant {
		o.fail(key, errors.New("judges the answer, so the row is an unpaired preference and no chat to learn from: import the file as unpaired"))
	}
	return &table.Chat{Messages: o.weighAll(ms), Tools: o.tools()}
}

// alpacaPrompt returns the system message, the turns of the history, and a user message with
// instruction and input on lines of their own. Dolly calls the input context.
func (o *object) alpacaPrompt() []chat.Message {
	ask := appendNonEmpty(appendNonEmpty(nil, o.text("instruction")), o.text("input", "context"))
	ms := append(o.history(), chat.Message{Role: "user", Content: strings.Join(ask, "\n")})
	return o.withSystem(ms)
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

// withSystem puts the row's system text, if any, before ms. If ms begins with a system message
// of its own, both must say the same.
func (o *object) withSystem(ms []chat.Message) []chat.Message {
	system := o.text("system", "system_prompt")
	if system == "" {
		return ms
	}
	if len(ms) > 0 && ms[0].Role == chat.System {
		if strings.TrimSpace(ms[0].Content) != strings.TrimSpace(system) {
			o.fail("system", errors.New("differs from the system message of the conversation: herd cannot tell which one counts"))
		}
		return ms
	}
	return append([]chat.Message{{Role: chat.System, Content: system}}, ms...)
}

func appendNonEmpty(parts []string, s string) []string {
	if s == "" {
		return parts
	}
	return append(parts, s)
}
