package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
)

// elements and attributes are all that a page consists of. None of them loads,
// runs or leads anywhere.
var (
	elements = strings.Fields(`html head meta title style body header main section article h1 h2 h3 p ul li b i span small code bdi div
		figure figcaption details summary table thead tbody tr th td dl dt dd svg g path line rect circle text`)
	attributes = strings.Fields(`lang charset name content http-equiv class dir tabindex style role aria-label
		xmlns viewBox d x y x1 x2 y1 y2 cx cy r width height transform`)
)

// checkPage reports what a page must not have, and returns its text.
func checkPage(page []byte) (text string, err error) {
	d := xml.NewDecoder(bytes.NewReader(page))
	var b strings.Builder
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := checkElement(t); err != nil {
				return "", err
			}
		case xml.CharData:
			b.Write(t)
		}
	}
}

func checkElement(e xml.StartElement) error {
	if !slices.Contains(elements, e.Name.Local) {
		return fmt.Errorf("element %q", e.Name.Local)
	}
	for _, a := range e.Attr {
		if !slices.Contains(attributes, a.Name.Local) {
			return fmt.Errorf("attribute %s=%q", a.Name.Local, a.Value)
		}
		if a.Name.Local == "style" && strings.Trim(strings.TrimPrefix(a.Value, "flex-grow:"), "0123456789") != "" {
			return fmt.Errorf("style %q", a.Value)
		}
		if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
			return fmt.Errorf("attribute %s=%q", a.Name.Local, a.Value)
		}
	}
	return nil
}

// TestStyleLoadsNothing reads the only part of the page that could load another
// without an element or an attribute.
func TestStyleLoadsNothing(t *testing.T) {
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil || len(style) == 0 {
		t.Fatal(err)
	}
	for _, load := range []string{"url(", "@import", "image-set(", "//"} {
		if bytes.Contains(style, []byte(load)) {
			t.Errorf("style.css has %s", load)
		}
	}
}

// TestPages writes a page of every table; with HERD_PAGES=DIR also to files, to
// look at.
func TestPages(t *testing.T) {
	for name, rows := range tables() {
		r := build(Options{Title: "samples of " + name + ".arrow"}, rows)
		var html bytes.Buffer
		if err := r.WriteHTML(&html); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := checkPage(html.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		numbers, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if dir := os.Getenv("HERD_PAGES"); dir != "" {
			keep(t, filepath.Join(dir, name+".html"), html.Bytes())
			keep(t, filepath.Join(dir, name+".json"), numbers)
		}
	}
}

func keep(t *testing.T, path string, b []byte) {
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestPageShowsTextsAsTheyAre puts every evil text everywhere, and finds it again
// as text. A page with such a text unescaped is noticed.
func TestPageShowsTextsAsTheyAre(t *testing.T) {
	for _, evil := range evil {
		r := build(Options{Title: evil}, []table.Sample{{
			Origin: table.Origin{ID: evil}, Prompt: []chat.Message{{Role: evil, Content: evil}},
			Candidates: []table.Candidate{{Text: evil, Note: evil, Finish: evil}},
		}})
		var html bytes.Buffer
		if err := r.WriteHTML(&html); err != nil {
			t.Fatal(err)
		}
		text, err := checkPage(html.Bytes())
		if err != nil {
			t.Errorf("%.50q: %v", evil, err)
		}
		for most, times := range map[int]int{mostID: 4, mostPrompt: 1, mostNote: 1, mostResponse: 1} { // heading, title, id, role
			if shown := shorten(evil, most); shown != "" && strings.Count(text, shown) < times {
				t.Errorf("%.50q is not shown", shown)
			}
		}
	}
	for _, planted := range []string{evil[0], evil[1], evil[2], `<p onclick="x">`, `<a href="x">y</a>`, "\x00", "<p>"} {
		if _, err := checkPage([]byte("<html><p>" + planted + "</p></html>")); err == nil {
			t.Errorf("%q in a page went unnoticed", planted)
		}
	}
}

// FuzzPage makes pages of texts and numbers of all kinds.
func FuzzPage(f *testing.F) {
	for i, text := range evil {
		f.Add(text, float64(i)*1e99, 1/float64(i), i%2 == 0, i)
	}
	f.Fuzz(func(t *testing.T, text string, a, b float64, right bool, k int) {
		r := build(Options{Title: text, Seed: uint64(k)}, []table.Sample{
			{Origin: table.Origin{ID: text}, Prompt: []chat.Message{{Role: "user", Content: text}}, Candidates: []table.Candidate{
				{Text: text, Score: &a, Reward: &b, Correct: &right, K: k, Finish: text}, {Text: text + text, Score: &b, Note: text}, {Score: &a},
			}},
			{Candidates: []table.Candidate{{Score: &b, Correct: &right, IDs: make([]token.ID, 3)}, {Text: "x"}}},
		})
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		var html bytes.Buffer
		if err := r.WriteHTML(&html); err != nil {
			t.Error(err)
		}
		if _, err := checkPage(html.Bytes()); err != nil {
			t.Error(err)
		}
	})
}
