package httpd

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server runs a handler until its context ends, and then shuts down gracefully.
type Server struct {
	Handler  http.Handler
	Gate     *Gate         // that the handler's long requests enter
	Patience time.Duration // for a client to send the header of a request
	Grace    time.Duration // for requests in progress at a shutdown
	Log      *slog.Logger  // gets errors of connections
}

// Serve answers the listener's connections until ctx ends. Then it closes the gate,
// waits for the requests inside for at most Grace, and cancels the contexts of those
// that remain with cause ErrClosed.
func (s Server) Serve(ctx context.Context, l net.Listener) error {
	working, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	server := &http.Server{
		Handler:           s.Handler,
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
		return err
	case <-ctx.Done():
	}
	s.drain(cancel)
	last, stop := context.WithTimeout(context.Background(), farewell)
	defer stop()
	if server.Shutdown(last) != nil { // a client still has not read its response
		_ = server.Close()
	}
	<-failed
	return nil
}

// drain waits for the requests inside the gate, and cancels those that take longer than
// Grace.
func (s Server) drain(cancel context.CancelCauseFunc) {
	empty := s.Gate.Close()
	grace := time.NewTimer(s.Grace)
	defer grace.Stop()
	select {
	case <-empty:
		return
	case <-grace.C:
	}
	cancel(ErrClosed)
	select {
	case <-empty:
	case <-time.After(farewell):
	}
}

// farewell is the time for cancelled requests to send their error.
const farewell = 2 * time.Second
