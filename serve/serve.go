package serve

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/internal/httpd"
)

// Engine is what a model answers with: engine.Engine. All its methods are called by
// any number of goroutines at once.
type Engine interface {
	Complete(ctx context.Context, r sample.Request) ([]sample.Completion, error)
	// Embed returns the mean of the final hidden states; errors.ErrUnsupported
	// where there are none.
	Embed(ctx context.Context, ids []token.ID) ([]float32, error)
	Stats() sample.Stats
}

// Model is a model to be served.
type Model struct {
	Name      string // as clients call it
	Engine    Engine
	Tokenizer *tokenizer.Tokenizer
	Format    *template.Format // nil: it answers no chats, and
	Formless  error            // this is why
	Stop      []token.ID       // end what it says
	Context   int              // tokens of prompt and answer together
	Vocab     int              // ids are less than this
	Digest    string           // of what determines its answers: the system_fingerprint
}

// Server serves models. Its methods may be called by any number of goroutines.
type Server struct {
	Settings
	models  []*served
	gate    *httpd.Gate
	metrics *metrics
	began   time.Time
	handler http.Handler
}

// served is a model with what is kept for it.
type served struct {
	Model
	queue *queue
	meter *meter
}

// New returns a server of at least one model; the first answers requests that name
// none.
func New(s Settings, models ...Model) (*Server, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	if len(models) == 0 {
		return nil, fmt.Errorf("serve: there is no model to serve")
	}
	if s.Log == nil {
		s.Log = Defaults().Log
	}
	server := &Server{Settings: s, began: time.Now(), metrics: newMetrics()}
	for _, m := range models {
		if other, err := server.model(m.Name); err == nil {
			return nil, fmt.Errorf("serve: two models are called %q", other.Name)
		}
		server.models = append(server.models, &served{m, newQueue(s.Slots, s.Queue), server.metrics.add(m.Name)})
	}
	server.gate = httpd.NewGate(len(models) * (s.Slots + s.Queue))
	handler, err := server.routes()
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	server.handler = handler
	return server, nil
}

// Handler returns the whole of the server as a handler.
func (s *Server) Handler() http.Handler { return s.handler }

// model returns the model of a name.
func (s *Server) model(name string) (*served, error) {
	for _, m := range s.models {
		if m.Name == name {
			return m, nil
		}
	}
	e := notFound("model_not_found", "the model %q does not exist: GET /v1/models lists those that do", excerpt([]byte(name)))
	e.Param = "model"
	return nil, e
}
