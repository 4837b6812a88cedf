package serve

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// task is a request for answers, understood.
type task struct {
	id       string
	created  int64 // Unix time
	model    *served
	requests []sample.Request // one for each prompt, n seeds each
	n        int
	seed     uint64 // of the first answer to each prompt

	stream bool
	usage  bool // a stream ends with how many tokens there were
}

// choices is how many answers are asked for.
func (t *task) choices() int { return len(t.requests) * t.n }

// newTask takes what all endpoints have in common, but the prompts and the longest
// answer, out of f: the task, and how its answers are drawn.
func (s *Server) newTask(f *fields, kind string) (*task, *sample.Request, error) {
	m, err := s.named(f)
	if err != nil {
		return nil, nil, err
	}
	t := &task{id: kind + randomName(), created: time.Now().Unix(), model: m, n: 1}
	f.integer("n", &t.n, 1, s.Choices)
	t.readSeed(f)
	f.flag("stream", &t.stream)
	if err := t.readStreamOptions(f); err != nil {
		return nil, nil, err
	}
	r := &sample.Request{Stop: m.Stop, Settings: readSettings(f)}
	readStops(f, r)
	return t, r, nil
}

// named returns the model that f names; the first if it names none.
func (s *Server) named(f *fields) (*served, error) {
	name := s.models[0].Name
	f.text("model", &name)
	return s.model(name)
}

// readSeed takes any integer of 64 bits, with or without sign. Where there is none,
// one is drawn that JavaScript can hold.
func (t *task) readSeed(f *fields) {
	raw := f.take("seed")
	var signed int64
	switch {
	case raw == nil:
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		t.seed = binary.LittleEndian.Uint64(b[:]) >> 11
	case unmarshals(raw, &t.seed):
	case unmarshals(raw, &signed):
		t.seed = uint64(signed)
	default:
		f.fail("seed", "is %s, expected a whole number of 64 bits", excerpt(raw))
	}
}

func (t *task) readStreamOptions(f *fields) error {
	raw := f.take("stream_options")
	if raw == nil {
		return nil
	}
	if !t.stream {
		return invalid("stream_options", "stream_options is only for streams: set stream to true")
	}
	o, err := parseFields(raw, "stream_options.")
	if err != nil {
		return err
	}
	o.flag("include_usage", &t.usage)
	o.take("include_obfuscation") // of OpenAI's API, against listeners: nothing of an answer
	return o.end()
}

// readSettings takes how tokens are drawn, with OpenAI's defaults.
func readSettings(f *fields) sample.Settings {
	s := sample.Settings{Temperature: 1, TopP: 1, Repetition: 1}
	f.number("temperature", &s.Temperature, 0, 100)
	if f.number("top_p", &s.TopP, 0, 1) && s.TopP == 0 {
		s.TopP = math.SmallestNonzeroFloat64 // the likeliest token is in any nucleus; the engine's 0 is none
	}
	if f.integer("top_k", &s.TopK, -1, math.MaxInt32) {
		s.TopK = max(s.TopK, 0) // -1 is vLLM's off
	}
	f.number("min_p", &s.MinP, 0, 1)
	f.number("repetition_penalty", &s.Repetition, 1e-3, 1e3)
	f.number("repeat_penalty", &s.Repetition, 1e-3, 1e3) // llama-server's name
	f.number("presence_penalty", &s.Presence, -2, 2)
	f.number("frequency_penalty", &s.Frequency, -2, 2)
	return s
}

// Limits on stop strings: each is looked for at every token.
const (
	maxStops     = 16
	maxStopBytes = 256
)

// readStops takes the strings and tokens that end an answer; of tokens, besides the
// model's own.
func readStops(f *fields, r *sample.Request) {
	var one string
	if raw := f.take("stop"); unmarshals(raw, &one) {
		r.StopStrings = []string{one}
	} else if raw != nil && !unmarshals(raw, &r.StopStrings) {
		f.fail("stop", "is %s, expected a string or a list of strings", excerpt(raw))
	}
	for _, stop := range r.StopStrings {
		if stop == "" || len(stop) > maxStopBytes {
			f.fail("stop", "has a string of %d bytes, expected 1 to %d", len(stop), maxStopBytes)
		}
	}
	var ids []token.ID
	if raw := f.take("stop_token_ids"); raw != nil {
		if ids = tokenIDs(raw); ids == nil {
			f.fail("stop_token_ids", "is %s, expected a list of token ids", excerpt(raw))
		}
	}
	if len(r.StopStrings) > maxStops || len(ids) > maxStops {
		f.fail("stop", "has more than %d entries", maxStops)
	}
	var on bool
	if f.flag("ignore_eos", &on); on {
		r.Stop = nil
	}
	r.Stop = append(r.Stop[:len(r.Stop):len(r.Stop)], ids...)
}

// ask makes the task's requests of r, one for each prompt, and holds them to the
// limits. most is the longest answer that the client asked for by the parameter
// param; 0: it did not.
func (s *Server) ask(t *task, r *sample.Request, prompts []prompt, param string, most int) error {
	if len(prompts)*t.n > s.Choices {
		return invalid("n", "%d prompts with n = %d are more than %d answers", len(prompts), t.n, s.Choices)
	}
	seeds := make([]uint64, t.n)
	for k := range seeds {
		seeds[k] = t.seed + uint64(k)
	}
	for _, p := range prompts {
		if err := s.checkPrompt(t.model, p); err != nil {
			return err
		}
		r.Prompt, r.Messages, r.Seeds = p.ids, p.messages, seeds
		var err error
		if r.MaxTokens, err = s.room(t.model, p, param, most); err != nil {
			return err
		}
		t.requests = append(t.requests, *r)
	}
	return nil
}

// checkPrompt holds a prompt to the model's vocabulary and the longest allowed.
func (s *Server) checkPrompt(m *served, p prompt) error {
	if len(p.ids) == 0 {
		return invalid(p.param, "the prompt is empty")
	}
	for _, id := range p.ids {
		if id < 0 || int(id) >= m.Vocab {
			return invalid(p.param, "token %d is outside the vocabulary of %d", id, m.Vocab)
		}
	}
	if most := cmp.Or(s.PromptTokens, m.Context); len(p.ids) > most {
		e := invalid(p.param, "the prompt has %d tokens, this server takes up to %d", len(p.ids), most)
		e.Code = "context_length_exceeded"
		return e
	}
	return nil
}

// room returns how long an answer to p may be.
func (s *Server) room(m *served, p prompt, param string, most int) (int, error) {
	room := m.Context - len(p.ids)
	if room < max(most, 1) {
		e := invalid(param, "the model's context is %d tokens: %d of the prompt leave no room for an answer of %d", m.Context, len(p.ids), max(most, 1))
		e.Code = "context_length_exceeded"
		return 0, e
	}
	limit := min(cmp.Or(s.AnswerTokens, room), room)
	if most > cmp.Or(s.AnswerTokens, most) {
		return 0, invalid(param, "%s is %d, this server gives up to %d", param, most, s.AnswerTokens)
	}
	return cmp.Or(most, limit), nil
}

// randomName returns 24 characters that name an answer.
func randomName() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
