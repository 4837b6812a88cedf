package serve

import (
	"embed"
	"net/http"

	"github.com/herd-lm/herd/internal/httpd"
)

//go:embed page
var files embed.FS

// pages returns the routes of the chat page. It needs no key: the page asks for one.
func pages() []route {
	routes := []route{{"GET", "/{$}", true, false, file("page/index.html")}}
	for _, name := range []string{"chat.css", "chat.js", "pane.js", "api.js", "text.js"} {
		routes = append(routes, route{"GET", "/" + name, true, false, file("page/" + name)})
	}
	return routes
}

func file(name string) handle {
	return func(w *reply, r *http.Request) error {
		return httpd.ServeFile(w, r, files, name)
	}
}
