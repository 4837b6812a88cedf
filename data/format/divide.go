package format

import (
	"errors"
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
)

// divide sets the prompt of a pair and cuts it off the responses. Data sets spell a pair in
// several ways:
//
//	prompt              chosen                           what comes before the response
//	user                assistant                        the prompt
//	none                user, assistant                  the messages that both dialogues share
//	user                user, assistant                  the same: the prompt is said twice
//	last user turn      user, assistant, user, assistant the same: the prompt is part of it
//	user, assistant     user, assistant                  the prompt and what the dialogues share
//
//	user, ..., last user last user, assistant            the prompt: the dialogues begin with its end
//	user                assistant, user, assistant       the prompt and what the responses share
//
// Copies of a message may differ in white space. The system message may be in any of the three.
func (o *object) divide(p *table.Preference, prompt []chat.Message, chosen string) {
	parts := []*[]chat.Message{&prompt, &p.Chosen, &p.Rejected}
	system, err := cutSystem(parts...)
	o.fail("system", err)
	if o.err != nil {
		return
	}
	shared := sharedStart(p.Chosen, p.Rejected)
	dialogue := p.Chosen[0].Role != chat.Assistant || len(prompt) == 0 && shared > 0
	switch {
	case (p.Chosen[0].Role == chat.Assistant) != (p.Rejected[0].Role == chat.Assistant):
		o.fail(chosen, errors.New("is a whole dialogue and the other response is not, or the reverse: herd cannot tell the prompt"))
		return
	case dialogue:
		prompt, err = before(prompt, p.Chosen, shared)
		p.Chosen, p.Rejected = p.Chosen[shared:], p.Rejected[shared:]
	case len(prompt) > 0 && prompt[len(prompt)-1].Role == chat.Assistant:
		err = errors.New("ends with a message of the assistant, and the responses begin with one")
	case len(prompt) > 0: // what both responses say before their first different answer
		shared = backToAnswer(p.Chosen, p.Rejected, shared)
		prompt = append(slices.Clone(prompt), p.Chosen[:shared]...)
		p.Chosen, p.Rejected = p.Chosen[shared:], p.Rejected[shared:]
	}
	if err == nil && len(prompt) == 0 {
		err = errors.New("is missing, and the responses have no common beginning")
	}
	o.fail("prompt", err)
	for _, response := range [][]chat.Message{p.Chosen, p.Rejected} {
		if role := response[0].Role; role != chat.Assistant {
			o.fail(chosen, fmt.Errorf("and the other response differ in a message of role %s, before the assistant's answer: they have no common prompt", role))
		}
	}
	p.Prompt = append(system, prompt...)
}

// before returns the messages before two dialogues part: the first shared messages of dialogue.
// The prompt of the row must be among them, or come before them.
func before(prompt, dialogue []chat.Message, shared int) ([]chat.Message, error) {
	start := slices.Clone(dialogue[:shared])
	switch {
	case len(prompt) == 0 || contains(dialogue[:len(dialogue)-1], prompt):
		return start, nil
	case prompt[len(prompt)-1].Role == chat.Assistant && dialogue[0].Role != chat.Assistant:
		return append(slices.Clone(prompt), start...), nil
	}
	for n := min(len(prompt), shared); n > 0; n-- {
		if slices.EqualFunc(prompt[len(prompt)-n:], start[:n], alike) {
			return append(slices.Clone(prompt), start[n:]...), nil
		}
	}
	return nil, errors.New("is not among the messages of the dialogues: herd cannot tell what comes before the responses")
}

// cutSystem removes the system message with which lists of messages begin, and returns it, or
// none. A list may be nothing else. If several have one, they must say the same.
func cutSystem(lists ...*[]chat.Message) (system []chat.Message, err error) {
	for _, list := range lists {
		if len(*list) == 0 || (*list)[0].Role != chat.System {
			continue
		}
		if system != nil && !alike(system[0], (*list)[0]) {
			return nil, errors.New("the prompt and the responses have different system messages: herd cannot tell which one counts")
		}
		system, *list = (*list)[:1:1], (*list)[1:]
	}
	return system, nil
}

// sharedStart returns how many messages a and b begin with in common. It leaves each at least
// one.
func sharedStart(a, b []chat.Message) int {
	n := 0
	for n < min(len(a), len(b))-1 && alike(a[n], b[n]) {
		n++
	}
	return n
}

// backToAnswer returns the largest number of messages, at most n, after which the assistant
// speaks in both a and b, or 0.
func backToAnswer(a, b []chat.Message, n int) int {
	for n > 0 && (a[n].Role != chat.Assistant || b[n].Role != chat.Assistant) {
		n--
	}
	return n
}

// contains reports whether the messages of part follow each other in whole.
func contains(whole, part []chat.Message) bool {
	for i := 0; i+len(part) <= len(whole); i++ {
		if slices.EqualFunc(whole[i:i+len(part)], part, alike) {
			return true
		}
	}
	return false
}

// alike is chat.Message.Same without regard to white space.
func alike(a, b chat.Message) bool {
	a.Content, b.Content = squeeze(a.Content), squeeze(b.Content)
	return a.Same(b)
}
