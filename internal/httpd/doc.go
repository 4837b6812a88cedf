// Package httpd has the parts of an HTTP server that do not depend on what it serves: a
// guard against foreign web pages, an API key, limits on requests and bodies, deadlines
// on slow clients, headers for a page of its own, and a graceful shutdown.
//
// Begin with Guard, which wraps a handler, and Server, which runs it.
package httpd
