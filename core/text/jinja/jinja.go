// Package jinja renders chat templates. It implements the part of Jinja 2 that models' templates
// use, as transformers' apply_chat_template runs it: with trim_blocks and lstrip_blocks, loop
// controls, {% generation %}, tojson, raise_exception and strftime_now, and with immutable lists
// and dictionaries.
//
// It differs from other implementations in two ways that training needs:
//
//   - Every character of the result has a [Mark] that names the caller's value it came from,
//     whatever the template did to it. This separates the text of messages from the text that the
//     template writes around them.
//   - A template is untrusted input: herd limits its work and memory, and no template makes the
//     program panic.
package jinja

import (
	"fmt"
	"time"
)

// maxSource is the maximum length of a template in bytes. The longest templates of well-known
// models have about 20 kB.
const maxSource = 1 << 20

// Template is a parsed template. It is immutable and safe for concurrent use.
type Template struct {
	body  []statement
	marks bool
}

// Parse parses a template. Its errors name the line.
func Parse(source string) (t *Template, err error) {
	if len(source) > maxSource {
		return nil, fmt.Errorf("template: %d bytes, expected at most %d", len(source), maxSource)
	}
	defer catch(&err)
	p := &parser{tokens: lex(source)}
	body := p.statements()
	p.refuse(0)
	return &Template{body: body, marks: p.marks}, nil
}

// MarksGeneration reports whether the template marks the model's text with {% generation %}.
func (t *Template) MarksGeneration() bool { return t.marks }

// Context holds the input of a template.
type Context struct {
	Values map[string]Value
	Now    time.Time // time that strftime_now formats
	Input  int       // bytes of text in Values; the limit of work grows with it
}

// Render returns the template's text. If the template calls raise_exception, the error is a
// *[Raised].
func (t *Template) Render(c Context) (text Text, err error) {
	m := &machine{left: baseWork + workPerByte*c.Input, now: c.Now, filters: filters, tests: tests}
	defer func() {
		if e, ok := err.(*located); ok && e.line == 0 {
			e.line = m.line
		}
	}()
	defer catch(&err)
	top := &scope{}
	for name, v := range c.Values {
		top.set(name, v)
	}
	var out builder
	f := frame{machine: m, scope: &scope{parent: top}, out: &out}
	f.run(t.body)
	return out.text(), nil
}

// Raised is the error of a template that refuses its input with raise_exception.
type Raised struct{ Message string }

func (r *Raised) Error() string { return r.Message }

// located is any other error of a template, with its line.
type located struct {
	line int
	text string
}

func (l *located) Error() string {
	if l.line == 0 {
		return "template: " + l.text
	}
	return fmt.Sprintf("template line %d: %s", l.line, l.text)
}

// fail ends parsing or rendering with an error, which catch returns. It panics, because the code
// walks templates recursively and every step may fail.
func fail(format string, args ...any) { panic(&located{text: fmt.Sprintf(format, args...)}) }

func failAt(line int, format string, args ...any) {
	panic(&located{line, fmt.Sprintf(format, args...)})
}

func catch(err *error) {
	switch e := recover().(type) {
	case nil:
	case *located:
		*err = e
	case *Raised:
		*err = e
	default:
		panic(e)
	}
}
