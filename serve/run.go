package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Serve answers what comes to the listener until ctx ends. Then it refuses what is
// new with 503, gives what is being answered its grace, and ends the rest.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	working, end := context.WithCancelCause(context.Background())
	defer end(nil)
	server := &http.Server{
		Handler:           s.handler,
		BaseContext:       func(net.Listener) context.Context { return working },
		ReadHeaderTimeout: s.Patience,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelError),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.drain(end)
	last, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if server.Shutdown(last) != nil { // someone still has not read what was written
		_ = server.Close()
	}
	<-failed
	return nil
}

// drain waits for what is being answered; what has not come to its end within the
// grace is ended.
func (s *Server) drain(end context.CancelCauseFunc) {
	empty := s.doors.close()
	grace := time.NewTimer(s.Grace)
	defer grace.Stop()
	select {
	case <-empty:
		return
	case <-grace.C:
	}
	end(errShutdown)
	select {
	case <-empty: // all have been told
	case <-time.After(lastWords):
	}
}

// lastWords is the time for answers that were ended to say so.
const lastWords = 2 * time.Second
