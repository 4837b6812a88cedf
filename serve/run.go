package serve

import (
	"context"
	"fmt"
	"net"

	"github.com/herd-lm/herd/internal/httpd"
)

// Serve answers the listener's connections until ctx ends. Then it refuses new requests
// with status 503, lets those in progress end within Grace, and cancels the rest.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := httpd.Server{Handler: s.handler, Gate: s.gate, Patience: s.Patience, Grace: s.Grace, Log: s.Log}
	if err := server.Serve(ctx, l); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
