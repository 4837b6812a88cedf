package httpd

import (
	"bytes"
	"io/fs"
	"net/http"
	"time"
)

// pagePolicy lets a page load its own scripts and styles and send requests to this
// server. It forbids everything else, and scripts inside the page.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeFile serves a file of a page that is built into the program, with the headers
// that keep foreign content out of the page.
func ServeFile(w http.ResponseWriter, r *http.Request, files fs.FS, name string) error {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return nil
}
