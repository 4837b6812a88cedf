package rejection

import (
	"fmt"
	"math"
	"strings"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
)

// policy is what answers prompts.
type policy struct {
	engine  sample.Sampler
	tok     *tokenizer.Tokenizer // nil: the server lays chats out
	format  *template.Format     // nil as well
	stop    []token.ID           // what ends an answer
	context int                  // positions of the model; 0: not known
}

func newPolicy(s Settings) (*policy, error) {
	if s.remote() {
		return newRemotePolicy(s)
	}
	at, err := model.Locate(s.Model, s.Adapter)
	if err != nil {
		return nil, err
	}
	tok, format, err := loadFormat(at.Tokenizer())
	if err != nil {
		return nil, err
	}
	weights, err := at.Pack(s.Precision)
	if err != nil {
		return nil, err
	}
	c := weights.Config
	if c.IsReward() {
		return nil, fmt.Errorf("%s is a reward model: it cannot answer", at.Model)
	}
	engine := engine.New(weights, tok, engine.Options{Slots: s.Slots})
	return &policy{engine, tok, format, c.StopIDs(format.Stop()...), c.Context()}, nil
}

// digest returns that of the tokenizer, if there is one.
func (p *policy) digest() string {
	if p.tok == nil {
		return ""
	}
	return p.tok.Digest()
}

// admits reports whether the prompt is too long to be answered.
func (p *policy) admits(q prompt) error {
	if p.format == nil {
		return nil
	}
	ids, err := p.format.Prompt(q.Messages)
	if err != nil || p.context == 0 {
		return err
	}
	return fits(len(ids), p.context, "model")
}

// request asks for the numbered responses to a prompt.
func (p *policy) request(q prompt, s Settings, numbers []int) (sample.Request, error) {
	r := sample.Request{Messages: q.Messages, Stop: p.stop, Settings: s.Settings}
	if p.format != nil {
		var err error
		if r.Prompt, err = p.format.Prompt(q.Messages); err != nil {
			return r, fmt.Errorf("prompt %s: %w", q.ID, err)
		}
	}
	for _, k := range numbers {
		r.Seeds = append(r.Seeds, seedOf(s.Seed, q.ID, k))
	}
	return r, nil
}

// candidates are what was drawn for the numbers.
func candidates(drawn []sample.Completion, numbers []int) []table.Candidate {
	list := make([]table.Candidate, len(drawn))
	for i, c := range drawn {
		list[i] = table.Candidate{
			// A sample may stop within a character; its ids keep the exact bytes.
			Text: strings.ToValidUTF8(c.Text, "\uFFFD"), IDs: c.IDs, K: numbers[i], Finish: c.Finish, Seed: c.Seed,
		}
		if !math.IsNaN(c.LogProb) {
			list[i].LogProb = &drawn[i].LogProb
		}
	}
	return list
}
