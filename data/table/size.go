package table

import "github.com/herd-lm/herd/core/text/chat"

// The sizes count the bytes of text, token ids and extra columns, which make rows large.

func (d *Document) size() int { return d.Origin.size() + len(d.Text) + len(d.URL) + len(d.Lang) }

func (c *Chat) size() int { return c.Origin.size() + MessageBytes(c.Messages) + len(c.Tools) }

func (p *Preference) size() int {
	return p.Origin.size() + MessageBytes(p.Prompt) + MessageBytes(p.Chosen) + MessageBytes(p.Rejected) +
		MessageBytes(p.Edited) + len(p.Tools) + len(p.Annotator) + len(p.RefDigest)
}

func (u *UnpairedPreference) size() int {
	return u.Origin.size() + MessageBytes(u.Prompt) + MessageBytes(u.Completion) + len(u.Tools)
}

func (s *Sample) size() int {
	n := s.Origin.size() + MessageBytes(s.Prompt) + len(s.Tools) + len(s.Reference)
	for _, c := range s.Candidates {
		n += len(c.Text) + 4*len(c.IDs)
	}
	return n
}

func (o *Origin) size() int {
	n := len(o.ID) + len(o.Source) + o.Extra.size()
	for _, id := range o.Parents {
		n += len(id)
	}
	for k, v := range o.Meta {
		n += len(k) + len(v)
	}
	return n
}

// MessageBytes returns the bytes of text in messages.
func MessageBytes(ms []chat.Message) int {
	n := 0
	for _, m := range ms {
		n += len(m.Role) + len(m.Content) + len(m.Reasoning) + len(m.ToolCallID) + len(m.Name)
		for _, c := range m.ToolCalls {
			n += len(c.ID) + len(c.Name) + len(c.Arguments)
		}
	}
	return n
}
