package template

import (
	"fmt"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// probe renders a small chat to find the generation prompt, the reserved tokens and the stop
// token. A template that refuses this chat can still render prompts.
func (f *Format) probe() error {
	c, err := valuesOf([]chat.Message{{Role: "user", Content: "a"}, {Role: chat.Assistant, Content: "b"}})
	if err != nil {
		return err
	}
	given, err := f.render(c.first(1), true)
	if err != nil {
		f.turnsErr = err
		return nil
	}
	start, err := f.encode(given)
	if err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	if bos := f.tok.BOS(); len(start.IDs) > 1 && bos != tokenizer.None && start.IDs[0] == bos && start.IDs[1] == bos {
		return fmt.Errorf("chat: the template writes %s twice at the beginning", f.tok.Token(bos))
	}
	f.reserved = map[token.ID]bool{}
	for _, id := range start.IDs {
		if f.isAdded(id) {
			f.reserved[id] = true
		}
	}
	if asked, err := f.render(c.first(1), false); err == nil {
		f.prompt = given.String()[commonPrefix(given.String(), asked.String()):]
	}
	f.turnsErr = f.probeStop(c)
	return nil
}

// probeStop finds the token that the template writes behind an assistant's message.
func (f *Format) probeStop(c conversation) error {
	text, err := f.render(c, false)
	if err != nil {
		return err
	}
	p, err := f.encode(text)
	if err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	content := lastByte(text, 1, len(text.String()))
	for k := firstEnding(p.Ends, content+1); k < len(p.IDs); k++ {
		if f.isAdded(p.IDs[k]) {
			f.stop = p.IDs[k]
			f.reserved[f.stop] = true
			f.probeTail(p.IDs[k+1:])
			return nil
		}
	}
	return fmt.Errorf("chat: the template ends the assistant's messages with %s, which is no special token of the vocabulary: a model could not learn to stop", excerpt(text.String()[content:]))
}

// probeTail finds the added tokens that follow the stop token at once in every turn: the template
// writes them at the end of a chat, where last begins, and also before another message.
func (f *Format) probeTail(last []token.ID) {
	c, err := valuesOf([]chat.Message{{Role: "user", Content: "a"}, {Role: chat.Assistant, Content: "b"}, {Role: "user", Content: "c"}})
	if err != nil {
		return
	}
	text, err := f.render(c, false)
	if err != nil {
		return // the template takes one turn only
	}
	p, err := f.encode(text)
	if err != nil {
		return
	}
	k := firstEnding(p.Ends, lastByte(text, 1, 0)+1)
	for k < len(p.IDs) && p.IDs[k] != f.stop {
		k++
	}
	for i, id := range last {
		if k+1+i >= len(p.IDs) || p.IDs[k+1+i] != id || !f.isAdded(id) {
			break
		}
		f.tail = append(f.tail, id)
		f.reserved[id] = true
	}
}

func (f *Format) isAdded(id token.ID) bool {
	added, ok := f.tok.Special(f.tok.Token(id))
	return ok && added == id
}
