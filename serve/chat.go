package serve

import (
	"math"
	"slices"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/token"
)

// maxTop is the greatest number of alternatives for a token, as in OpenAI's API.
const maxTop = 20

// readChat reads the body of POST /v1/chat/completions.
func (s *Server) readChat(f *fields, m *served) (*request, encoder, error) {
	q, common, err := s.newRequest(f, m, "chatcmpl-")
	if err != nil {
		return nil, nil, err
	}
	messages, err := readMessages(f)
	if err != nil {
		return nil, nil, err
	}
	as := &chatEncoder{speller: speller{tok: m.Tokenizer}, begun: map[int]bool{}}
	f.flag("return_tokens_as_token_ids", &as.asIDs)
	f.flag("logprobs", &common.Detail)
	if f.integer("top_logprobs", &common.Top, 0, maxTop) && !common.Detail {
		f.fail("top_logprobs", "needs logprobs: set logprobs to true")
	}
	as.detail = common.Detail
	form, err := readFormat(f)
	if err != nil {
		return nil, nil, err
	}
	goes := readContinue(f, messages)
	param, most := readMost(f)
	if err := f.end(); err != nil {
		return nil, nil, err
	}
	ids, err := m.lay(messages, goes)
	if err != nil {
		return nil, nil, err
	}
	if common.Continues = goes && messages[len(messages)-1].Content != ""; common.Continues {
		for k := range q.n {
			as.begun[k] = true
		}
	}
	if err := s.addPrompts(q, common, []prompt{{"messages", ids, messages}}, param, most); err != nil {
		return nil, nil, err
	}
	return q, as, m.limit(form, q)
}

// readContinue reads vLLM's continue_final_message: the answer goes on with the last message,
// which must be the assistant's, and gets no new header.
func readContinue(f *fields, messages []chat.Message) (goes bool) {
	header := true
	f.flag("continue_final_message", &goes)
	asked := f.flag("add_generation_prompt", &header)
	switch {
	case goes && messages[len(messages)-1].Role != chat.Assistant:
		f.fail("continue_final_message", "is true, but the last message is not the assistant's")
	case goes && asked && header:
		f.fail("add_generation_prompt", "is true and continue_final_message too: a continued message gets no new header")
	case !goes && !header:
		f.fail("add_generation_prompt", "is false: herd answers chats behind the header of an assistant's turn only; use /v1/completions for other texts")
	}
	return goes
}

// lay returns the prompt of a chat, or of one whose last message goes on.
func (m *served) lay(messages []chat.Message, goes bool) ([]token.ID, error) {
	if !goes {
		return m.layOut(messages, "model")
	}
	last := len(messages) - 1
	if last == 0 {
		return nil, invalid("messages", "there is no message before the one to continue")
	}
	if _, err := m.layOut(messages[:last], "model"); err != nil {
		return nil, err
	}
	before, after, err := m.Format.Continue(messages[:last], messages[last:])
	if err != nil {
		return nil, invalid("messages", "%v", err)
	}
	end := slices.Index(after.Kind, template.EndOfTurn)
	if end < 0 {
		end = len(after.IDs)
	}
	return slices.Concat(before.IDs, after.IDs[:end]), nil
}

// layOut returns the prompt of a chat. The error of a model without a chat template names
// the parameter param.
func (m *served) layOut(messages []chat.Message, param string) ([]token.ID, error) {
	if m.Format == nil {
		return nil, invalid(param, "%s does not answer chats: %v", m.Name, m.Formless)
	}
	ids, err := m.Format.Prompt(messages)
	if err != nil {
		return nil, invalid("messages", "%v", err)
	}
	return ids, nil
}

// readMost takes the greatest length of an answer, by its older or its newer name.
func readMost(f *fields) (param string, most int) {
	param = "max_tokens"
	older := f.integer(param, &most, 1, math.MaxInt32)
	newer := most
	if f.integer("max_completion_tokens", &newer, 1, math.MaxInt32) {
		param = "max_completion_tokens"
		if older && newer != most {
			f.fail(param, "is %d, but max_tokens is %d: set only one of them", newer, most)
		}
	}
	return param, newer
}

// chatEncoder writes chat.completion and chat.completion.chunk objects.
type chatEncoder struct {
	speller
	detail bool
	begun  map[int]bool // choices whose text has begun
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

type chatChunk struct {
	Index    int           `json:"index"`
	Delta    chatDelta     `json:"delta"`
	LogProbs *chatLogProbs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

func (c *chatEncoder) object(streamed bool) string {
	if streamed {
		return "chat.completion.chunk"
	}
	return "chat.completion"
}

func (c *chatEncoder) logProbs(k int, tokens []sample.Token) *chatLogProbs {
	if !c.detail {
		return nil
	}
	begun := c.begun[k]
	l := c.speller.chat(tokens, &begun)
	c.begun[k] = begun
	return l
}

func (c *chatEncoder) choice(k int, a sample.Completion) any {
	return chatChoice{k, chatMessage{Role: chat.Assistant, Content: a.Text}, c.logProbs(k, a.Tokens), a.Finish}
}

func (c *chatEncoder) begin(k int) any {
	return chatChunk{Index: k, Delta: chatDelta{chat.Assistant, new(string)}}
}

func (c *chatEncoder) delta(k int, d sample.Delta) any {
	p := chatChunk{Index: k}
	if d.Text != "" {
		p.Delta.Content = &d.Text
	}
	if len(d.Tokens) > 0 {
		p.LogProbs = c.logProbs(k, d.Tokens)
	}
	if d.Finish != "" {
		p.Finish = &d.Finish
	}
	if d.Text == "" && p.LogProbs == nil && p.Finish == nil {
		return nil
	}
	return p
}
