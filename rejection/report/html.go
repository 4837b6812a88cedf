package report

import (
	"embed"
	"html/template"
	"io"
)

//go:embed page
var pageFiles embed.FS

var page = template.Must(template.New("report.html").ParseFS(pageFiles, "page/*"))

// WriteHTML writes the report as one page that needs nothing else: no network,
// no script. It is well-formed XML besides the doctype.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Execute(w, r)
}
