package serve

import "github.com/herd-lm/herd/internal/httpd"

// reply is a response with what the log and the metrics record of it.
type reply struct {
	*httpd.Reply
	model  *served // nil: the request named none, or does not need one
	prompt int     // tokens
	drawn  int     // tokens
}
