package serve

import "net/http"

// described is a model in the JSON of GET /v1/models.
type described struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"` // when the server started
	Owner   string `json:"owned_by"`
	Context int    `json:"max_model_len"` // vLLM's name
	Digest  string `json:"system_fingerprint"`
	Chats   bool   `json:"chat"`
}

func (s *Server) describe(m *served) described {
	return described{m.Name, "model", s.began.Unix(), "herd", m.Context, m.Digest, m.Format != nil}
}

// listModels is GET /v1/models.
func (s *Server) listModels(w *reply, _ *http.Request) error {
	list := make([]described, len(s.models))
	for i, m := range s.models {
		list[i] = s.describe(m)
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": list})
	return nil
}

// getModel is GET /v1/models/NAME.
func (s *Server) getModel(w *reply, r *http.Request) error {
	m, err := s.model(r.PathValue("name"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.describe(m))
	return nil
}

// health is GET /health. It reports whether the server accepts requests.
func (s *Server) health(w *reply, _ *http.Request) error {
	if s.gate.Closed() {
		return unavailable()
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}
