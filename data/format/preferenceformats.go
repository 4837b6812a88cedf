package format

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// The converters in this file make preferences.

func shareGPTPreference(o *object) table.Record {
	return o.preference(o.messages("user", "conversations"), "chosen", "rejected")
}

func alpacaPreference(o *object) table.Record {
	return o.preference(o.alpacaPrompt(), "chosen", "rejected")
}

// promptPreference is TRL's format: https://huggingface.co/docs/trl/dataset_formats. If there
// is no prompt, the common beginning of the two responses is the prompt.
func promptPreference(o *object) table.Record {
	return o.preference(o.prompt(), "chosen", "rejected")
}

// openAIPreference is OpenAI's format for DPO.
func openAIPreference(o *object) table.Record {
	_, v := o.take("input")
	input, err := o.parseObject(v)
	if err != nil {
		o.fail("input", errors.New("expected an object with messages"))
		return &table.Preference{}
	}
	prompt := input.messages("user", "messages")
	tools := input.tools()
	input.used["parallel_tool_calls"] = true
	input.refuseUnused()
	o.fail("input", input.err)
	p := o.preference(prompt, "preferred_output", "non_preferred_output")
	if tools != "" {
		p.Tools = tools
	}
	return p
}

// rankedPreference has the better response in response_j and the worse in response_k
// (lvwerra/stack-exchange-paired).
func rankedPreference(o *object) table.Record {
	return o.preference(o.prompt(), "response_j", "response_k")
}

// numberedPreference names the better of two numbered responses (PKU-SafeRLHF).
func numberedPreference(o *object) table.Record {
	better := o.number("better_response_id")
	if better == nil || *better != 0 && *better != 1 {
		o.fail("better_response_id", errors.New("expected 0 or 1"))
		return &table.Preference{}
	}
	return o.preference(o.prompt(),
		"response_"+strconv.Itoa(int(*better)), "response_"+strconv.Itoa(1-int(*better)))
}

// annotation is AlpacaEval's: preference is 1 if output_1 is better and 2 if output_2 is.
func annotation(o *object) table.Record {
	prefers := o.number("preference")
	if prefers == nil {
		o.fail("preference", errors.New("is missing: herd cannot tell which output is better"))
		return &table.Preference{}
	}
	chosen, rejected := "output_1", "output_2"
	switch {
	case *prefers == 1.5 || *prefers == 0:
		o.skip = "ties"
	case *prefers > 1.5:
		chosen, rejected = rejected, chosen
	}
	return o.preference(o.alpacaPrompt(), chosen, rejected)
}

// preference reads a pair. The responses are whole dialogues or continue the prompt.
func (o *object) preference(prompt []chat.Message, chosen, rejected string) *table.Preference {
	p := &table.Preference{
		Chosen:        o.response(chosen),
		Rejected:      o.response(rejected),
		Strength:      o.strength(),
		Annotator:     o.text("annotator"),
		ChosenScore:   o.number("chosen_score", "score_chosen"),
		RejectedScore: o.number("rejected_score", "score_rejected"),
		Tools:         o.tools(),
	}
	if o.err != nil {
		return p
	}
	o.fail(chosen, saidByAssistant(p.Chosen))
	o.fail(rejected, saidByAssistant(p.Rejected))
	if o.err == nil {
		o.divide(p, prompt, chosen)
		p.Prompt = o.withSystem(p.Prompt)
	}
	return p
}

// response takes messages, or a text, which may be one of Anthropic's dialogues.
func (o *object) response(keys ...string) []chat.Message {
	key, v := o.take(keys...)
	if v == nil || v[0] != '"' {
		return o.messages("assistant", keys...)
	}
	s, err := parseText(v)
	o.fail(key, err)
	if ms := parseDialogue(s); ms != nil {
		return ms
	}
	ms := o.messages("assistant", keys...)
	if o.dialogue && len(ms) == 1 {
		ms[0].Content = strings.TrimSpace(ms[0].Content)
	}
	return ms
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
	if strings.HasPrefix(s, human[2:]) {
		s = "\n\n" + s // a copy without white space at its ends
	}
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

func saidByAssistant(ms []chat.Message) error {
	if len(ms) == 0 {
		return errors.New("is empty")
	}
	if role := ms[len(ms)-1].Role; role != "assistant" {
		return fmt.Errorf("ends with a message of role %s, expected assistant", role)
	}
	return nil
}
