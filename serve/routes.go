package serve

import (
	"net/http"
	"time"

	"github.com/herd-lm/herd/internal/httpd"
)

// handle answers a request, or returns an error for the client.
type handle func(w *reply, r *http.Request) error

// route is an endpoint.
type route struct {
	method, path string
	open         bool // without the key
	work         bool // passes the gate
	handle       handle
}

func (s *Server) endpoints() []route {
	return []route{
		{"GET", "/health", true, false, s.health},
		{"GET", "/metrics", false, false, s.writeMetrics},
		{"GET", "/v1/models", false, false, s.listModels},
		{"GET", "/v1/models/{name...}", false, false, s.getModel},
		{"POST", "/v1/chat/completions", false, true, s.completing(s.readChat)},
		{"POST", "/v1/completions", false, true, s.completing(s.readCompletion)},
		{"POST", "/v1/embeddings", false, true, s.withBody(s.embed)},
		{"POST", "/tokenize", false, true, s.withBody(s.tokenize)},
		{"POST", "/detokenize", false, true, s.withBody(s.detokenize)},
	}
}

// routes returns the handler of all endpoints and pages, behind the guard.
func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	for _, e := range append(s.endpoints(), pages()...) {
		h := s.guarded(e)
		mux.Handle(e.method+" "+e.path, h)
		mux.Handle(e.path, s.observed(e.path, func(w *reply, _ *http.Request) error {
			w.Header().Set("Allow", e.method)
			return &Error{Status: http.StatusMethodNotAllowed, Type: invalidRequest, Code: "method_not_allowed", Message: "use " + e.method}
		}))
	}
	mux.Handle("/", s.observed("other", func(_ *reply, r *http.Request) error {
		return notFound("not_found", "there is nothing at %s", excerpt([]byte(r.URL.EscapedPath())))
	}))
	return s.guard(mux)
}

// guarded returns the handler of an endpoint, which checks the key and passes the gate.
func (s *Server) guarded(e route) http.Handler {
	return s.observed(e.path, func(w *reply, r *http.Request) error {
		if err := s.checkKey(r); err != nil && !e.open {
			return err
		}
		if e.work {
			if err := s.enter(); err != nil {
				return err
			}
			defer s.gate.Leave()
		}
		return e.handle(w, r)
	})
}

// observed calls h, sends its error to the client, and records the outcome in the log and
// the metrics.
func (s *Server) observed(path string, h handle) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &reply{Reply: httpd.NewReply(w, s.Patience)}
		if err := h(out, r); err != nil {
			out.Refuse()
			asError(r.Context(), err).write(out)
		}
		s.record(out, r, path)
	})
}

// record writes a line to the log and counts the request.
func (s *Server) record(w *reply, r *http.Request, path string) {
	took := time.Since(w.Began)
	name, meter := "", s.metrics.none
	if w.model != nil {
		name, meter = w.model.Name, w.model.meter
	}
	meter.count(path, w.Status(), took)
	args := []any{"status", w.Status(), "ms", took.Milliseconds()}
	if name != "" {
		args = append(args, "model", name, "prompt", w.prompt, "drawn", w.drawn)
	}
	s.Log.Info(r.Method+" "+r.URL.EscapedPath(), args...)
}

// withBody returns a handle for an endpoint that takes a JSON object, which may name a
// model.
func (s *Server) withBody(h func(*reply, *http.Request, *fields, *served) error) handle {
	return func(w *reply, r *http.Request) error {
		body, err := s.body(w, r)
		if err != nil {
			return err
		}
		f, err := parseFields(body, "")
		if err != nil {
			return err
		}
		m, err := s.named(f)
		if err != nil {
			return err
		}
		return h(w, r, f, m)
	}
}

// completing returns a handle for an endpoint that answers with completions; read reads
// its body.
func (s *Server) completing(read func(*fields, *served) (*request, encoder, error)) handle {
	return s.withBody(func(w *reply, r *http.Request, f *fields, m *served) error {
		q, as, err := read(f, m)
		if err != nil {
			return err
		}
		return s.respond(w, r, q, as)
	})
}
