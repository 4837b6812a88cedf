package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// prompt takes the messages before an answer from a column of a prompt: messages, a text, or one
// of Anthropic's dialogues, which ends with the label of the assistant. The choices of a
// question with several follow it.
func (o *object) prompt() []chat.Message {
	if _, v := o.take(promptKeys...); v != nil && v[0] == '"' {
		if s, err := parseText(v); err == nil {
			if ms := parseDialogue(s); ms != nil {
				o.dialogue = true
				return withoutHeader(ms)
			}
		}
	}
	return o.withChoices(o.messages("user", promptKeys...))
}

// withoutHeader removes an empty last message of the assistant, whose label ends a prompt.
func withoutHeader(ms []chat.Message) []chat.Message {
	if last := len(ms) - 1; last > 0 && ms[last].Role == chat.Assistant && ms[last].Content == "" {
		return ms[:last]
	}
	return ms
}

// ask takes the system message, the turns of the history and the prompt.
func (o *object) ask() []chat.Message {
	return o.withSystem(append(o.history(), o.prompt()...))
}

// answered puts an answer after a prompt. The answer may be a whole dialogue that repeats the
// prompt, or its end.
func (o *object) answered(prompt []chat.Message, keys ...string) []chat.Message {
	answer := o.reasoned(o.response(keys...))
	if len(answer) == 0 {
		o.fail(keys[0], errors.New("is missing: the rows of this format have an answer"))
	}
	if o.err != nil || len(answer) == 0 || answer[0].Role == chat.Assistant {
		return append(prompt, answer...)
	}
	system, err := cutSystem(&prompt, &answer)
	o.fail("system", err)
	last := len(answer) - 1
	start, err := before(prompt, answer, last)
	o.fail("prompt", err)
	return append(append(system, start...), answer[last])
}

// reasonings are names of what the assistant thought before it answered.
var reasonings = []string{"reasoning_content", "reasoning", "thinking"}

// reasoned gives the last message of an answer the reasoning that the row has in a column. Some
// data sets repeat the beginning of the answer there.
func (o *object) reasoned(answer []chat.Message) []chat.Message {
	last := len(answer) - 1
	if last < 0 || answer[last].Role != chat.Assistant || answer[last].Reasoning != "" {
		return answer
	}
	for _, key := range reasonings {
		if o.has(key) && o.keys[key][0] != '"' {
			return answer // no text: a setting, or a score
		}
	}
	text := o.onlyText(reasonings...)
	if !strings.Contains(squeeze(answer[last].Content), squeeze(text)) {
		answer[last].Reasoning = text
	}
	return answer
}

// withChoices puts the choices of a question below it, one a line, with the letters from A on.
// The number of the right choice (from 0, as in MMLU) becomes its letter.
func (o *object) withChoices(ms []chat.Message) []chat.Message {
	last := len(ms) - 1
	if last < 0 || !o.hasAny("choices", "options") {
		return ms
	}
	key := "choices"
	if !o.has(key) {
		key = "options"
	}
	var choices []string
	if json.Unmarshal(o.keys[key], &choices) != nil || len(choices) > 26 || slices.Contains(choices, "") {
		return ms // refuseLost says so
	}
	o.used[key] = true
	o.letterOfAnswer(choices)
	if lettered(ms[last].Content, choices) {
		return ms
	}
	lines := []string{ms[last].Content}
	for i, c := range choices {
		lines = append(lines, letter(i)+". "+c)
	}
	ms[last].Content = strings.Join(lines, "\n")
	return ms
}

// lettered reports whether a question lists its choices itself, as "A. yes", "A) yes" or "A: yes".
func lettered(question string, choices []string) bool {
	question = squeeze(question)
	for i, c := range choices {
		line := func(mark string) bool { return strings.Contains(question, letter(i)+mark+" "+squeeze(c)) }
		if !slices.ContainsFunc([]string{".", ")", ":"}, line) {
			return false
		}
	}
	return true
}

func letter(i int) string { return string(rune('A' + i)) }

// letterOfAnswer replaces the number of the right choice by its letter. A number that is no
// choice's may be the text of one.
func (o *object) letterOfAnswer(choices []string) {
	i, err := strconv.Atoi(string(o.keys["answer"]))
	switch {
	case err != nil:
	case i >= 0 && i < len(choices):
		o.keys["answer"] = mustJSON(letter(i))
	case !slices.Contains(choices, strconv.Itoa(i)):
		o.fail("answer", fmt.Errorf("is %d, expected the number of a choice, 0 to %d", i, len(choices)-1))
	}
}
