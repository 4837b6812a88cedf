// Package jinja renders chat templates: the part of Jinja 2 that those of models
// are written in, as transformers' apply_chat_template runs it (trim_blocks and
// lstrip_blocks set, loop controls, {% generation %}, tojson, raise_exception,
// strftime_now, nothing that changes a list or dictionary).
//
// It differs from other implementations in two ways that a trainer needs. Every
// character of the result has a [Mark] that says which of the caller's values it
// came from, whatever the template did to it on the way; so what a message says
// can be told from what the template writes around it. And a template is input
// from outside: work and memory are limited, and nothing in it makes the program
// panic.
package jinja

import (
	"fmt"
	"time"
)

// maxSource is the length in bytes from which a template is refused. The longest
// of well-known models has some 20 kB.
const maxSource = 1 << 20

// Template is a parsed template. It does not change, and is safe for concurrent use.
type Template struct {
	body  []statement
	marks bool
}

// Parse reads a template. Errors name the line.
func Parse(source string) (t *Template, err error) {
	if len(source) > maxSource {
		return nil, fmt.Errorf("template: %d bytes, expected at most %d", len(source), maxSource)
	}
	defer catch(&err)
	p := &parser{tokens: lex(source)}
	body := p.statements()
	return &Template{body: body, marks: p.marks}, nil
}

// MarksGeneration reports whether the template says what the model generates, by
// {% generation %}.
func (t *Template) MarksGeneration() bool { return t.marks }

// Context is what a template is rendered with.
type Context struct {
	Values map[string]Value
	Now    time.Time // of strftime_now
	Input  int       // bytes of text in Values, which the limit of work grows with
}

// Render returns the template's text. The error of a template that calls
// raise_exception is a *[Raised].
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

// Raised is the error of a template that refuses what it is given.
type Raised struct{ Message string }

func (r *Raised) Error() string { return r.Message }

// located is any other error of a template.
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

// fail ends parsing or rendering with an error, which catch returns: templates
// are walked recursively, and every step of that may fail.
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
