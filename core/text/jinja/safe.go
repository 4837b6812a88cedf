package jinja

import "strings"

// A text that |safe or |escape returned is Python's Markup: other texts are escaped where a
// template joins them to it with +, %, format, join or replace, as the package markupsafe does. The
// operator ~ and most filters that build a new text return an ordinary one.

// as returns the text as Markup, or as an ordinary text.
func (t Text) as(safe bool) Text {
	t.safe = safe
	return t
}

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// escaping returns t escaped if it joins Markup and is not Markup itself.
func (m *machine) escaping(t Text, joins bool) Text {
	if !joins || t.safe {
		return t
	}
	return m.convert(t, entities.Replace)
}

func escapeHTML(f *frame, v Value, _ *args) Value { return f.escaping(f.str(v), true).as(true) }
