package format

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// The converters in this file make preferences.

func shareGPTPreference(o *object) table.Record {
	return preference(o, withSystem(o, o.messages("user", "conversations")))
}

func alpacaPreference(o *object) table.Record { return preference(o, alpacaPrompt(o)) }

// promptPreference is TRL's format: https://huggingface.co/docs/trl/dataset_formats. If there
// is no prompt, the common beginning of the two responses is the prompt.
func promptPreference(o *object) table.Record {
	return preference(o, withSystem(o, o.messages("user", "prompt", "question")))
}

// openAIPreference is OpenAI's format for DPO.
func openAIPreference(o *object) table.Record {
	_, v := o.take("input")
	input, err := parseObject(v)
	if err != nil {
		o.fail("input", errors.New("expected an object with messages"))
		return &table.Preference{}
	}
	prompt := input.messages("user", "messages")
	o.fail("input", input.err)
	return responses(o, prompt, "preferred_output", "non_preferred_output")
}

func preference(o *object, prompt []chat.Message) *table.Preference {
	return responses(o, prompt, "chosen", "rejected")
}

func responses(o *object, prompt []chat.Message, chosen, rejected string) *table.Preference {
	p := &table.Preference{
		Prompt:        prompt,
		Chosen:        o.response(chosen),
		Rejected:      o.response(rejected),
		Strength:      o.strength(),
		Annotator:     o.text("annotator"),
		ChosenScore:   o.number("chosen_score", "score_chosen"),
		RejectedScore: o.number("rejected_score", "score_rejected"),
	}
	if len(p.Prompt) == 0 {
		p.Prompt = sharedStart(p.Chosen, p.Rejected)
		if len(p.Prompt) == 0 {
			o.fail("prompt", errors.New("is missing, and the responses have no common beginning"))
		}
	}
	p.Chosen, p.Rejected = withoutPrompt(p.Chosen, p.Prompt), withoutPrompt(p.Rejected, p.Prompt)
	o.fail(chosen, saidByAssistant(p.Chosen))
	o.fail(rejected, saidByAssistant(p.Rejected))
	return p
}

// response takes messages, or a text, which may be one of Anthropic's dialogues.
func (o *object) response(key string) []chat.Message {
	if _, v := o.take(key); v != nil && v[0] == '"' {
		s, err := parseText(v)
		o.fail(key, err)
		if ms := parseDialogue(s); ms != nil {
			return ms
		}
	}
	return o.messages("assistant", key)
}

func (o *object) strength() int {
	x := o.number("strength")
	if x == nil {
		return 0
	}
	if *x != math.Trunc(*x) || math.Abs(*x) > 4 {
		o.fail("strength", fmt.Errorf("is %v, expected 1 to 4", *x))
		return 0
	}
	return int(*x)
}

// parseDialogue reads the texts of Anthropic's HH-RLHF, in which an empty line and "Human:" or
// "Assistant:" begin each turn. It returns nil for other texts.
func parseDialogue(s string) []chat.Message {
	const human, assistant = "\n\nHuman:", "\n\nAssistant:"
	if !strings.HasPrefix(s, human) || !strings.Contains(s, assistant) {
		return nil
	}
	var ms []chat.Message
	for s != "" {
		role, label := "user", human
		if strings.HasPrefix(s, assistant) {
			role, label = "assistant", assistant
		}
		s = s[len(label):]
		end := len(s)
		for _, next := range []string{human, assistant} {
			if i := strings.Index(s, next); i >= 0 {
				end = min(end, i)
			}
		}
		ms = append(ms, chat.Message{Role: role, Content: strings.TrimSpace(s[:end])})
		s = s[end:]
	}
	return ms
}

// sharedStart returns the messages with which both a and b begin. It leaves each at least one.
func sharedStart(a, b []chat.Message) []chat.Message {
	n := 0
	for n < min(len(a), len(b))-1 && a[n].Same(b[n]) {
		n++
	}
	return slices.Clone(a[:n])
}

// withoutPrompt removes the prompt from a response that repeats it: in some data sets a
// response is the whole conversation.
func withoutPrompt(response, prompt []chat.Message) []chat.Message {
	if n := len(prompt); n < len(response) && chat.Same(response[:n], prompt) {
		return response[n:]
	}
	return response
}

func saidByAssistant(ms []chat.Message) error {
	if len(ms) == 0 {
		return errors.New("is empty")
	}
	if role := ms[len(ms)-1].Role; role != "assistant" {
		return fmt.Errorf("ends with a message of role %s, expected assistant", role)
	}
	return nil
}
