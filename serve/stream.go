package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"
)

// stream writes server-sent events. It sends the header with the first of them, so that
// an error before has its own status.
type stream struct {
	w     *reply
	buf   bytes.Buffer
	begun bool
}

func newStream(w *reply) *stream { return &stream{w: w} }

// event adds an event with the value v to the next flush.
func (s *stream) event(v any) error {
	s.buf.WriteString("data: ")
	if err := newJSONEncoder(&s.buf).Encode(v); err != nil { // ends the line
		return err
	}
	s.buf.WriteByte('\n')
	return nil
}

func (s *stream) flush() error {
	if s.buf.Len() == 0 {
		return nil
	}
	if !s.begun {
		s.begun = true
		h := s.w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no") // nginx passes events on at once
		s.w.WriteHeader(http.StatusOK)
	}
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	return errors.Join(err, s.w.FlushError())
}

// send writes deltas as they come, until there are no more. It flushes those that came
// together together.
func (p *response) send(ctx context.Context, out *stream, as encoder) error {
	begun := make([]bool, p.choices())
	var deltas []delta
	for {
		var err error
		if deltas, err = p.deltas.next(ctx, deltas); err != nil || len(deltas) == 0 {
			return err
		}
		for _, d := range deltas {
			if !begun[d.choice] {
				begun[d.choice] = true
				err = errors.Join(err, p.chunk(out, as, as.begin(d.choice)))
			}
			err = errors.Join(err, p.chunk(out, as, as.delta(d.choice, d.Delta)))
		}
		if err != nil {
			return err
		}
		if out.flush() != nil {
			return errGone
		}
	}
}

// chunk adds an event with one choice; it does nothing if choice is nil.
func (p *response) chunk(out *stream, as encoder, choice any) error {
	if choice == nil {
		return nil
	}
	e := p.envelope(as.object(true))
	e.Choices = []any{choice}
	if p.usage {
		e.Usage = (*usage)(nil) // null: only the last chunk has it
	}
	return out.event(e)
}

// finish ends a stream: with its usage, if the client asked for that, and the end mark;
// or with an error and no end mark.
func (s *Server) finish(ctx context.Context, p *response, out *stream, as encoder, err error) error {
	if err != nil {
		shown := s.failed(ctx, err)
		if !out.begun {
			return shown
		}
		out.w.Failed = shown.Status
		out.buf.Reset()
		_ = errors.Join(out.event(shown), out.flush()) // the client may have disconnected
		return nil
	}
	if p.usage {
		e := p.envelope(as.object(true))
		e.Usage = p.used()
		err = out.event(e)
	}
	out.buf.WriteString("data: [DONE]\n\n")
	if errors.Join(err, out.flush()) != nil {
		out.w.Failed = statusGone
	}
	return nil
}
