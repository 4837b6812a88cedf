package serve

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// request is a client's request for completions.
type request struct {
	id       string
	created  int64 // Unix time
	model    *served
	requests []sample.Request // one for each prompt, with n seeds each
	n        int              // choices for each prompt
	seed     uint64           // of the first choice of each prompt

	only   bool // the prompt is scored, and nothing follows it
	stream bool
	usage  bool // a stream ends with the numbers of tokens
}

// choices returns how many completions the client asked for.
func (q *request) choices() int { return len(q.requests) * q.n }

// newRequest takes the parameters that chats and completions share out of f, except the
// prompts and the greatest length. It returns the request, and what its sample requests
// have in common.
func (s *Server) newRequest(f *fields, m *served, prefix string) (*request, *sample.Request, error) {
	q := &request{id: prefix + randomName(), created: time.Now().Unix(), model: m, n: 1}
	f.integer("n", &q.n, 1, s.Choices)
	q.readSeed(f)
	f.flag("stream", &q.stream)
	if err := q.readStreamOptions(f); err != nil {
		return nil, nil, err
	}
	common := &sample.Request{Stop: m.Stop, Settings: readSettings(f)}
	readStops(f, common)
	return q, common, nil
}

// named returns the model that f names, or the first if it names none.
func (s *Server) named(f *fields) (*served, error) {
	name := s.models[0].Name
	f.text("model", &name)
	return s.model(name)
}

// readSeed takes any 64-bit integer, signed or unsigned. If there is none, it draws a seed
// that JavaScript can represent.
func (q *request) readSeed(f *fields) {
	raw := f.take("seed")
	var signed int64
	switch {
	case raw == nil:
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		q.seed = binary.LittleEndian.Uint64(b[:]) >> 11
	case unmarshals(raw, &q.seed):
	case unmarshals(raw, &signed):
		q.seed = uint64(signed)
	default:
		f.fail("seed", "is %s, expected a whole number of 64 bits", excerpt(raw))
	}
}

func (q *request) readStreamOptions(f *fields) error {
	raw := f.take("stream_options")
	if raw == nil {
		return nil
	}
	if !q.stream {
		return invalid("stream_options", "stream_options needs a stream: set stream to true")
	}
	o, err := parseFields(raw, "stream_options.")
	if err != nil {
		return err
	}
	o.flag("include_usage", &q.usage)
	o.take("include_obfuscation") // OpenAI's padding against eavesdroppers does not affect an answer
	return o.end()
}

// readSettings takes the sampling settings, with OpenAI's defaults.
func readSettings(f *fields) sample.Settings {
	s := sample.Settings{Temperature: 1, TopP: 1, Repetition: 1}
	f.number("temperature", &s.Temperature, 0, 100)
	if f.number("top_p", &s.TopP, 0, 1) {
		s.TopP = sample.TopP(s.TopP)
	}
	if f.integer("top_k", &s.TopK, -1, math.MaxInt32) {
		s.TopK = max(s.TopK, 0) // vLLM's -1 is off
	}
	f.number("min_p", &s.MinP, 0, 1)
	f.number("repetition_penalty", &s.Repetition, 1e-3, 1e3)
	f.number("repeat_penalty", &s.Repetition, 1e-3, 1e3) // llama-server's name
	f.number("presence_penalty", &s.Presence, -2, 2)
	f.number("frequency_penalty", &s.Frequency, -2, 2)
	return s
}

// Limits on stop strings: the engine searches each at every token.
const (
	maxStops     = 16
	maxStopBytes = 256
)

// readStops takes the strings and the tokens that end an answer. The tokens add to the
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

// randomName returns 24 random characters.
func randomName() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
