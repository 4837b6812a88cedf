package serve

import (
	"net/http"
	"time"

	"github.com/herd-lm/herd/internal/httpd"
)

// handle answers a request, or returns why not.
type handle func(w *reply, r *http.Request) error

// route is an endpoint.
type route struct {
	method, path string
	open         bool // whoever has no key may come too
	work         bool // counts at the doors
	handle       handle
}

func (s *Server) endpoints() []route {
	return []route{
		{"GET", "/health", true, false, s.health},
		{"GET", "/metrics", false, false, s.writeMetrics},
		{"GET", "/v1/models", false, false, s.listModels},
		{"GET", "/v1/models/{name...}", false, false, s.getModel},
		{"POST", "/v1/chat/completions", false, true, s.chat},
		{"POST", "/v1/completions", false, true, s.complete},
		{"POST", "/v1/embeddings", false, true, s.embed},
		{"POST", "/tokenize", false, true, s.tokenize},
		{"POST", "/detokenize", false, true, s.detokenize},
	}
}

// routes returns the handler of all endpoints and pages, behind what guards them.
func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	for _, e := range append(s.endpoints(), pages()...) {
		h := s.guarded(e)
		mux.Handle(e.method+" "+e.path, h)
		mux.Handle(e.path, s.told(e.path, func(w *reply, _ *http.Request) error {
			w.Header().Set("Allow", e.method)
			return &Error{Status: http.StatusMethodNotAllowed, Type: invalidRequest, Code: "method_not_allowed", Message: "use " + e.method + " here"}
		}))
	}
	mux.Handle("/", s.told("other", func(_ *reply, r *http.Request) error {
		return notFound("not_found", "there is nothing at %s", excerpt([]byte(r.URL.EscapedPath())))
	}))
	return s.guard(mux)
}

// guarded is the handler of an endpoint.
func (s *Server) guarded(e route) http.Handler {
	return s.told(e.path, func(w *reply, r *http.Request) error {
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

// told calls h, tells the client of its error, and log and metrics of what came out.
func (s *Server) told(path string, h handle) http.Handler {
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

// fields reads a request's body as a JSON object.
func (s *Server) fields(w *reply, r *http.Request) (*fields, error) {
	b, err := s.body(w, r)
	if err != nil {
		return nil, err
	}
	return parseFields(b, "")
}
