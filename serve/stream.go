package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"
)

// stream writes server-sent events. The header goes with the first of them, so that
// what fails before is told by its status.
type stream struct {
	w     *reply
	buf   bytes.Buffer
	begun bool
}

func newStream(w *reply) *stream { return &stream{w: w} }

// event adds an event of v to what is flushed next.
func (s *stream) event(v any) error {
	s.buf.WriteString("data: ")
	if err := newEncoder(&s.buf).Encode(v); err != nil { // ends the line
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
		h.Set("X-Accel-Buffering", "no") // of nginx
		s.w.WriteHeader(http.StatusOK)
	}
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	return errors.Join(err, s.w.FlushError())
}

// pump writes pieces as they come, until there are no more. Those that came together
// are flushed together.
func (d *drawing) pump(ctx context.Context, out *stream, as shape) error {
	begun := make([]bool, d.choices())
	var pieces []piece
	for {
		var err error
		if pieces, err = d.feed.next(ctx, pieces); err != nil || len(pieces) == 0 {
			return err
		}
		for _, p := range pieces {
			if !begun[p.k] {
				begun[p.k] = true
				err = errors.Join(err, d.chunk(out, as, as.begin(p.k)))
			}
			err = errors.Join(err, d.chunk(out, as, as.piece(p.k, p.Delta)))
		}
		if err != nil {
			return err
		}
		if out.flush() != nil {
			return errGone
		}
	}
}

// chunk writes an event of one choice; nothing for nil.
func (d *drawing) chunk(out *stream, as shape, choice any) error {
	if choice == nil {
		return nil
	}
	e := d.envelope(as.object(true))
	e.Choices = []any{choice}
	if d.usage {
		e.Usage = (*usage)(nil) // null: only the last chunk has it
	}
	return out.event(e)
}

// finish ends a stream: by its usage, if that was asked for, and the mark of its end;
// or by an error, behind which there is no such mark.
func (s *Server) finish(ctx context.Context, d *drawing, out *stream, as shape, err error) error {
	if err != nil {
		told := s.failed(ctx, err)
		if !out.begun {
			return told
		}
		out.w.Failed = told.Status
		out.buf.Reset()
		_ = errors.Join(out.event(told), out.flush()) // perhaps nobody reads it
		return nil
	}
	if d.usage {
		e := d.envelope(as.object(true))
		e.Usage = d.used()
		err = out.event(e)
	}
	out.buf.WriteString("data: [DONE]\n\n")
	if errors.Join(err, out.flush()) != nil {
		out.w.Failed = statusGone
	}
	return nil
}
