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

// Engine generates a model's answers; engine.Engine is one. Any number of goroutines call
// its methods at once.
type Engine interface {
	Complete(ctx context.Context, r sample.Request) ([]sample.Completion, error)
	// Embed returns the mean of the final hidden states, [HiddenSize]. It returns
	// errors.ErrUnsupported if the engine has none.
	Embed(ctx context.Context, ids []token.ID) ([]float32, error)
	Stats() sample.Stats
}

// Model is a model to serve.
type Model struct {
	Name      string // for clients
	Engine    Engine
	Tokenizer *tokenizer.Tokenizer
	Format    *template.Format // nil: the model does not answer chats
	Formless  error            // the reason why Format is nil
	Stop      []token.ID       // tokens that end an answer
	Context   int              // greatest number of tokens of a prompt and its answer
	Vocab     int              // number of token ids
	Digest    string           // of everything that determines answers; clients see it as system_fingerprint
}

// Server serves models. Any number of goroutines may call its methods.
type Server struct {
	Settings
	models  []*served
	gate    *httpd.Gate
	metrics *metrics
	began   time.Time
	handler http.Handler
}

// served is a model with its queue and its counters.
type served struct {
	Model
	queue *queue
	meter *meter
	forms *forms
}

// New returns a server for at least one model. The first one answers requests that name
// no model.
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
		server.models = append(server.models, &served{m, newQueue(s.Slots, s.Queue), server.metrics.add(m.Name), &forms{}})
	}
	server.gate = httpd.NewGate(len(models) * (s.Slots + s.Queue))
	handler, err := server.routes()
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	server.handler = handler
	return server, nil
}

// Handler returns the handler of all endpoints.
func (s *Server) Handler() http.Handler { return s.handler }

// model returns the model with a name.
func (s *Server) model(name string) (*served, error) {
	for _, m := range s.models {
		if m.Name == name {
			return m, nil
		}
	}
	e := notFound("model_not_found", "there is no model %q: GET /v1/models lists the models", excerpt([]byte(name)))
	e.Param = "model"
	return nil, e
}
