package table

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/show"
)

// Check runs on every row that is read or written. Arrow strings are UTF-8 by definition, and
// JSON has no NaN.

func (d *Document) Check() error {
	return cmp.Or(d.Origin.check(), validText("text", d.Text), validText("url", d.URL), validText("lang", d.Lang))
}

func (c *Chat) Check() error {
	if len(c.Messages) == 0 {
		return fmt.Errorf("messages is empty")
	}
	return cmp.Or(c.Origin.check(), validMessages("messages", c.Messages), validTools(c.Tools))
}

func (p *Preference) Check() error {
	if len(p.Chosen) == 0 || len(p.Rejected) == 0 {
		return fmt.Errorf("chosen has %d messages and rejected %d, expected at least one each", len(p.Chosen), len(p.Rejected))
	}
	if p.Strength < 0 || p.Strength > 4 {
		return fmt.Errorf("strength is %d, expected 1 (marginally better) to 4 (much better), or 0 if unknown", p.Strength)
	}
	return cmp.Or(
		p.Origin.check(),
		validMessages("prompt", p.Prompt), validMessages("chosen", p.Chosen),
		validMessages("rejected", p.Rejected), validMessages("edited", p.Edited), validTools(p.Tools),
		validText("annotator", p.Annotator), validText("ref_digest", p.RefDigest),
		validNumber("chosen_score", p.ChosenScore), validNumber("rejected_score", p.RejectedScore),
		validNumber("ref_chosen_logp", p.RefChosenLogP), validNumber("ref_rejected_logp", p.RefRejectedLogP),
	)
}

func (u *UnpairedPreference) Check() error {
	if len(u.Completion) == 0 {
		return fmt.Errorf("completion is empty")
	}
	return cmp.Or(u.Origin.check(), validMessages("prompt", u.Prompt), validMessages("completion", u.Completion), validTools(u.Tools))
}

func (s *Sample) Check() error {
	for i := range s.Candidates {
		if err := s.Candidates[i].check(); err != nil {
			return fmt.Errorf("candidates[%d]: %w", i, err)
		}
	}
	return cmp.Or(s.Origin.check(), validMessages("prompt", s.Prompt), validTools(s.Tools), validText("reference", s.Reference))
}

func (c *Candidate) check() error {
	return cmp.Or(
		validText("text", c.Text), validText("finish", c.Finish),
		validText("note", c.Note),
		validNumber("logprob", c.LogProb), validNumber("score", c.Score), validNumber("reward", c.Reward),
	)
}

func (o *Origin) check() error {
	for i, id := range o.Parents {
		if !utf8.ValidString(id) {
			return fmt.Errorf("parents[%d] is not valid UTF-8", i)
		}
	}
	for k, v := range o.Meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("meta %q is not valid UTF-8", k)
		}
	}
	return cmp.Or(validText("id", o.ID), validText("source", o.Source), o.Extra.check())
}

func validMessages(name string, ms []chat.Message) error {
	for i, m := range ms {
		if m.Role == "" {
			return fmt.Errorf("%s[%d] has no role", name, i)
		}
		if err := validMessage(m); err != nil {
			return fmt.Errorf("%s[%d] %w", name, i, err)
		}
	}
	return nil
}

func validMessage(m chat.Message) error {
	for _, s := range []string{m.Role, m.Content, m.Reasoning, m.ToolCallID, m.Name} {
		if !utf8.ValidString(s) {
			return errors.New("is not valid UTF-8")
		}
	}
	if w := m.LossWeight(); !(w >= 0) || math.IsInf(w, 0) {
		return fmt.Errorf("has weight %v, expected a finite number of at least 0", w)
	}
	for i, call := range m.ToolCalls {
		switch {
		case call.Name == "" || !utf8.ValidString(call.Name) || !utf8.ValidString(call.ID):
			return fmt.Errorf("has the tool call %d of the function %q, expected a name", i, call.Name)
		case !isJSON(call.Arguments, '{'):
			return fmt.Errorf("has the tool call %d of %s with arguments %s, expected a JSON object", i, call.Name, show.Cut(string(call.Arguments), 40))
		}
	}
	return nil
}

// isJSON reports whether v is a JSON value that begins with c.
func isJSON(v chat.JSON, c byte) bool {
	return v.Begins(c) && utf8.ValidString(string(v)) && json.Valid([]byte(v))
}

func validTools(t chat.JSON) error {
	if t != "" && !isJSON(t, '[') {
		return fmt.Errorf("tools is %s, expected a JSON list of functions", show.Cut(string(t), 40))
	}
	return nil
}

func validText(name, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not valid UTF-8", name)
	}
	return nil
}

func validNumber(name string, x *float64) error {
	if x != nil && (math.IsNaN(*x) || math.IsInf(*x, 0)) {
		return fmt.Errorf("%s is %v, expected a finite number", name, *x)
	}
	return nil
}
