package rejection

import (
	"fmt"
	"math"
	"strings"

	"github.com/herd-lm/herd/core/policy"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/data/table"
)

// openPolicy opens the model that answers, here or on a server.
func openPolicy(s Settings) (*policy.Policy, error) {
	from := policy.Settings{Model: s.Model, Adapter: s.Adapter, Template: s.Template, Precision: s.Precision, Chats: true}
	if s.remote() {
		return policy.Remote(from, s.Engine)
	}
	return policy.Open(from, engine.Options{Slots: s.Slots})
}

// checkPrompt returns an error if the policy cannot answer the prompt: a *policy.TooLong if the
// prompt is too long, another error if it is invalid.
func checkPrompt(from *policy.Policy, q prompt) error {
	_, err := from.Ask(q.Messages, q.Tools, sample.Settings{})
	return err
}

// request asks for the numbered responses to a prompt.
func request(from *policy.Policy, q prompt, s Settings, numbers []int) (sample.Request, error) {
	var seeds []uint64
	for _, k := range numbers {
		seeds = append(seeds, seedOf(s.Seed, q.ID, k))
	}
	s.Settings.TopP = sample.TopP(s.TopP)
	r, err := from.Ask(q.Messages, q.Tools, s.Settings, seeds...)
	if err != nil {
		return r, fmt.Errorf("prompt %s: %w", q.ID, err)
	}
	return r, nil
}

// candidates returns the samples for the numbers.
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
