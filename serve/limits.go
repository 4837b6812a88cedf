package serve

import (
	"cmp"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// addPrompts gives q a sample request for each prompt, and checks them against the limits.
// most is the greatest length that the client set with the parameter param; 0: it set
// none.
func (s *Server) addPrompts(q *request, common *sample.Request, prompts []prompt, param string, most int) error {
	if len(prompts)*q.n > s.Choices {
		return invalid("n", "%d prompts with n = %d ask for more than %d answers", len(prompts), q.n, s.Choices)
	}
	for i, p := range prompts {
		seeds := make([]uint64, q.n) // each choice has its own, so that equal prompts get other answers
		for k := range seeds {
			seeds[k] = q.seed + uint64(i*q.n+k)
		}
		if err := s.checkPrompt(q.model, p); err != nil {
			return err
		}
		common.Prompt, common.Messages, common.Seeds = p.ids, p.messages, seeds
		var err error
		if common.MaxTokens, err = s.room(q.model, p, param, most); err != nil {
			return err
		}
		q.requests = append(q.requests, *common)
	}
	return nil
}

// checkPrompt returns an error if a prompt is empty, too long, or has a token that the
// model does not know.
func (s *Server) checkPrompt(m *served, p prompt) error {
	if len(p.ids) == 0 {
		return invalid(p.param, "the prompt is empty")
	}
	if err := m.checkIDs(p.param, p.ids); err != nil {
		return err
	}
	if most := cmp.Or(s.PromptTokens, m.Context); len(p.ids) > most {
		e := invalid(p.param, "the prompt has %d tokens, this server accepts up to %d", len(p.ids), most)
		e.Code = "context_length_exceeded"
		return e
	}
	return nil
}

// checkIDs returns an error if a token is outside the vocabulary.
func (m *served) checkIDs(param string, ids []token.ID) error {
	for _, id := range ids {
		if id < 0 || int(id) >= m.Vocab {
			return invalid(param, "token %d is outside the vocabulary of %d", id, m.Vocab)
		}
	}
	return nil
}

// room returns how many tokens a completion of p may have.
func (s *Server) room(m *served, p prompt, param string, most int) (int, error) {
	room := m.Context - len(p.ids)
	if room < max(most, 1) {
		e := invalid(param, "the model's context has %d tokens: a prompt of %d leaves no room for an answer of %d", m.Context, len(p.ids), max(most, 1))
		e.Code = "context_length_exceeded"
		return 0, e
	}
	limit := min(cmp.Or(s.AnswerTokens, room), room)
	if most > cmp.Or(s.AnswerTokens, most) {
		return 0, invalid(param, "%s is %d, this server allows up to %d", param, most, s.AnswerTokens)
	}
	return cmp.Or(most, limit), nil
}
