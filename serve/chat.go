package serve

import (
	"math"
	"net/http"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/chat"
)

// maxTop is how many alternatives of a token can be asked for, as in OpenAI's API.
const maxTop = 20

// chat is POST /v1/chat/completions.
func (s *Server) chat(w *reply, r *http.Request) error {
	f, err := s.fields(w, r)
	if err != nil {
		return err
	}
	t, as, err := s.readChat(f)
	if err != nil {
		return err
	}
	return s.answer(w, r, t, as)
}

// readChat understands the body of a request for answers in a chat.
func (s *Server) readChat(f *fields) (*task, shape, error) {
	t, r, err := s.newTask(f, "chatcmpl-")
	if err != nil {
		return nil, nil, err
	}
	messages, err := readMessages(f)
	if err != nil {
		return nil, nil, err
	}
	as := &chatShape{speller: speller{tok: t.model.Tokenizer}}
	f.flag("return_tokens_as_token_ids", &as.asIDs)
	f.flag("logprobs", &r.Detail)
	if f.integer("top_logprobs", &r.Top, 0, maxTop) && !r.Detail {
		f.fail("top_logprobs", "is only for logprobs: set logprobs to true")
	}
	as.detail = r.Detail
	param, most := readMost(f)
	if err := f.end(); err != nil {
		return nil, nil, err
	}
	if t.model.Format == nil {
		return nil, nil, invalid("model", "%s answers no chats: %v", t.model.Name, t.model.Formless)
	}
	ids, err := t.model.Format.Prompt(messages)
	if err != nil {
		return nil, nil, invalid("messages", "%v", err)
	}
	return t, as, s.ask(t, r, []prompt{{"messages", ids, messages}}, param, most)
}

// readMost takes the longest answer, by the older or the newer of its names.
func readMost(f *fields) (param string, most int) {
	param = "max_tokens"
	older := f.integer(param, &most, 1, math.MaxInt32)
	newer := most
	if f.integer("max_completion_tokens", &newer, 1, math.MaxInt32) {
		param = "max_completion_tokens"
		if older && newer != most {
			f.fail(param, "is %d, but max_tokens %d: give one of them", newer, most)
		}
	}
	return param, newer
}

// chatShape writes chat.completion and chat.completion.chunk.
type chatShape struct {
	speller
	detail bool
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"`
}

type chatChoice struct {
	Index    int           `json:"index"`
	Message  chatMessage   `json:"message"`
	LogProbs *chatLogProbs `json:"logprobs"`
	Finish   string        `json:"finish_reason"`
}

type chatDelta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type chatPiece struct {
	Index    int           `json:"index"`
	Delta    chatDelta     `json:"delta"`
	LogProbs *chatLogProbs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

func (c *chatShape) object(streamed bool) string {
	if streamed {
		return "chat.completion.chunk"
	}
	return "chat.completion"
}

func (c *chatShape) logProbs(tokens []sample.Token) *chatLogProbs {
	if !c.detail {
		return nil
	}
	return c.speller.chat(tokens)
}

func (c *chatShape) choice(k int, a sample.Completion) any {
	return chatChoice{k, chatMessage{Role: chat.Assistant, Content: a.Text}, c.logProbs(a.Tokens), a.Finish}
}

func (c *chatShape) begin(k int) any {
	return chatPiece{Index: k, Delta: chatDelta{chat.Assistant, new(string)}}
}

func (c *chatShape) piece(k int, d sample.Delta) any {
	p := chatPiece{Index: k}
	if d.Text != "" {
		p.Delta.Content = &d.Text
	}
	if len(d.Tokens) > 0 {
		p.LogProbs = c.logProbs(d.Tokens)
	}
	if d.Finish != "" {
		p.Finish = &d.Finish
	}
	if d.Text == "" && p.LogProbs == nil && p.Finish == nil {
		return nil
	}
	return p
}
