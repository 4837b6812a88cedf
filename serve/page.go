package serve

import (
	"bytes"
	"embed"
	"net/http"
	"time"
)

//go:embed page
var files embed.FS

// policy lets the page load its own script and style, and ask this server: nothing
// else, and no script within the page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pages returns the routes of the page to chat on. Whoever has no key may see it: it
// asks for one.
func pages() []route {
	routes := []route{{"GET", "/{$}", true, false, file("page/index.html")}}
	for _, name := range []string{"chat.css", "chat.js", "pane.js", "api.js", "text.js"} {
		routes = append(routes, route{"GET", "/" + name, true, false, file("page/" + name)})
	}
	return routes
}

func file(name string) handle {
	return func(w *reply, r *http.Request) error {
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
		return nil
	}
}
