package remote

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// body is the JSON for /v1/completions and /v1/chat/completions.
type body struct {
	Model       string         `json:"model"`
	Prompt      any            `json:"prompt,omitempty"` // []token.ID or string
	Messages    []chat.Message `json:"messages,omitempty"`
	MaxTokens   int            `json:"max_tokens"`
	Temperature float64        `json:"temperature"`
	TopP        float64        `json:"top_p"`
	Presence    float64        `json:"presence_penalty,omitempty"`
	Frequency   float64        `json:"frequency_penalty,omitempty"`
	Seed        uint64         `json:"seed"`
	N           int            `json:"n"`
	Stop        []string       `json:"stop,omitempty"`
	LogProbs    any            `json:"logprobs,omitempty"` // a number; for chats true
	TopLogProbs int            `json:"top_logprobs,omitempty"`
	*extension
}

// extension is the fields that vLLM, SGLang, llama-server and herd add to OpenAI's API.
// herd also sends settings that are off: vLLM's defaults come from the model's
// generation_config.json, and llama-server's are top_k 40 and min_p 0.05. Most servers
// ignore unknown fields.
type extension struct {
	TopK          int        `json:"top_k"` // -1: off, for all of these servers
	MinP          float64    `json:"min_p"`
	Repetition    float64    `json:"repetition_penalty"`
	RepeatPenalty float64    `json:"repeat_penalty,omitempty"` // llama-server's name, where 1 is the default
	StopIDs       []token.ID `json:"stop_token_ids,omitempty"`
	TokensAsIDs   bool       `json:"return_tokens_as_token_ids,omitempty"` // in the log-probabilities
	ReturnIDs     bool       `json:"return_token_ids,omitempty"`           // without log-probabilities
}

// check returns an error if no server could answer r.
func (e *Engine) check(r sample.Request) error {
	if err := r.Settings.Validate(); err != nil {
		return err
	}
	form := e.form(r)
	switch {
	case r.Constraint != nil:
		return fmt.Errorf("a remote server cannot be given a constraint on its answers")
	case r.PromptDetail:
		return fmt.Errorf("herd does not ask servers for the log-probabilities of a prompt")
	case len(r.Seeds) == 0:
		return fmt.Errorf("the request has no seeds: there is nothing to draw")
	case form == Chat && len(r.Messages) == 0:
		return fmt.Errorf("there are no messages to send as a chat")
	case form != Chat && len(r.Prompt) == 0:
		return fmt.Errorf("the prompt is empty")
	case e.settings.Standard && (r.TopK > 0 || r.MinP > 0 || r.Repetition > 0 && r.Repetition != 1):
		return fmt.Errorf("top_k, min_p and repetition are not in OpenAI's API: leave them out, or leave out standard if the server knows them")
	}
	return nil
}

// form returns the form in which the engine sends a prompt.
func (e *Engine) form(r sample.Request) Prompt {
	if e.settings.Prompt == "" && len(r.Prompt) == 0 {
		return Chat
	}
	return cmp.Or(e.settings.Prompt, IDs)
}

// endpoint returns the URL for a request.
func (e *Engine) endpoint(r sample.Request) string {
	if e.form(r) == Chat {
		return e.base + "/chat/completions"
	}
	return e.base + "/completions"
}

// body returns the JSON that asks for the completions of some seeds. Equal arguments give
// equal bytes.
func (e *Engine) body(r sample.Request, seeds []uint64) ([]byte, error) {
	b := body{
		Model: e.settings.Model, N: len(seeds), Seed: e.settings.seed(seeds[0]),
		MaxTokens: r.MaxTokens, Temperature: r.Temperature, TopP: cmp.Or(r.TopP, 1),
		Presence: r.Presence, Frequency: r.Frequency, Stop: r.StopStrings,
	}
	e.setPrompt(&b, r)
	e.setLogProbs(&b, r)
	if !e.settings.Standard {
		b.extension = e.extension(r)
	}
	return json.Marshal(b)
}

func (e *Engine) setPrompt(b *body, r sample.Request) {
	switch e.form(r) {
	case Chat:
		b.Messages = r.Messages
	case Text:
		b.Prompt = e.tok.Decode(withoutBOS(r.Prompt, e.tok))
	default:
		b.Prompt = r.Prompt
	}
}

// withoutBOS removes a BOS token at the beginning: servers add it to a text that they
// encode if their tokenizer requires it.
func withoutBOS(ids []token.ID, tok *tokenizer.Tokenizer) []token.ID {
	if bos := tok.BOS(); bos != tokenizer.None && len(ids) > 0 && ids[0] == bos {
		return ids[1:]
	}
	return ids
}

func (e *Engine) setLogProbs(b *body, r sample.Request) {
	if e.settings.NoLogProb {
		return
	}
	most := 1 // llama-server reports none for 0
	if r.Detail {
		most = max(most, r.Top)
	}
	if e.form(r) == Chat {
		b.LogProbs, b.TopLogProbs = true, most
	} else {
		b.LogProbs = most
	}
}

func (e *Engine) extension(r sample.Request) *extension {
	x := &extension{
		TopK: cmp.Or(r.TopK, -1), MinP: r.MinP, Repetition: cmp.Or(r.Repetition, 1),
		TokensAsIDs: !e.settings.NoLogProb, ReturnIDs: e.settings.NoLogProb,
	}
	if r.Repetition != 1 {
		x.RepeatPenalty = r.Repetition
	}
	if e.form(r) != Chat { // in a chat the server knows what ends a turn
		x.StopIDs = r.Stop
	}
	return x
}
