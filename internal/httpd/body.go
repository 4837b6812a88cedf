package httpd

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// ErrTooLong is the error of a body with too many bytes.
var ErrTooLong = errors.New("the body is too long")

// Body reads a request's body of at most the given number of bytes. It returns
// ErrTooLong, or an error if the client did not send all of the body in time. Afterwards
// reading has no deadline, so that the server notices when the client disconnects.
func (r *Reply) Body(request *http.Request, most int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(r, request.Body, most))
	if errors.As(err, new(*http.MaxBytesError)) {
		return nil, ErrTooLong
	}
	if err != nil {
		return nil, err
	}
	r.bodyRead = true
	_ = r.control.SetReadDeadline(time.Time{})
	return b, nil
}
