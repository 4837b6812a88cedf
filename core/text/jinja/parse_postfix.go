package jinja

import (
	"fmt"
	"slices"
)

func (p *parser) postfix(e expression) expression {
	for {
		switch l := p.now(); {
		case p.op("."):
			if p.now().kind == integer {
				e = &subscript{l.line, e, constant{number(p.next())}}
			} else {
				e = &attribute{l.line, e, p.expect(name, "").text}
			}
		case p.op("["):
			e = p.subscript(l.line, e)
		case l.is(operator, "("):
			e = p.call(e)
		default:
			return e
		}
	}
}

// subscript reads the text between brackets: a key, or start:stop:step.
func (p *parser) subscript(line int, of expression) expression {
	s := &slicing{line: line, of: of}
	bounds := []*expression{&s.start, &s.stop, &s.step}
	for i := 0; ; {
		switch {
		case p.op(":"):
			if i++; i == len(bounds) {
				failAt(line, "more than two colons between brackets")
			}
		case p.op("]"):
			if i == 0 && s.start != nil {
				return &subscript{line, of, s.start}
			}
			if i == 0 {
				failAt(line, "nothing between brackets")
			}
			return s
		case *bounds[i] != nil:
			failAt(p.now().line, "expected ], found %s", p.now())
		default:
			*bounds[i] = p.expression()
		}
	}
}

func (p *parser) call(callee expression) expression {
	return &call{p.now().line, callee, p.arguments()}
}

// arguments reads the arguments of a call, in parentheses.
func (p *parser) arguments() (a arguments) {
	p.expect(operator, "(")
	for first := true; !p.op(")"); first = false {
		if !first {
			p.expect(operator, ",")
			if p.op(")") {
				break
			}
		}
		switch {
		case p.op("*"):
			a.list = p.expression()
			continue
		case p.op("**"):
			a.dict = p.expression()
			continue
		case p.now().kind == name && p.tokens[p.at+1].is(operator, "="):
			key := p.next().text
			p.next()
			a.names = append(a.names, key)
			a.named = append(a.named, p.expression())
			continue
		}
		if len(a.names) > 0 || a.list != nil || a.dict != nil {
			failAt(p.now().line, "a positional argument follows a named one")
		}
		a.values = append(a.values, p.expression())
	}
	return a
}

// filters reads any number of filters, each after a bar.
func (p *parser) filters(e expression) expression {
	for p.op("|") {
		e = p.filter(e)
	}
	return e
}

func (p *parser) filter(e expression) expression {
	l := p.expect(name, "")
	f := &filter{line: l.line, name: l.text, of: e, apply: filters[l.text]}
	if f.apply == nil {
		p.unknown = append(p.unknown, located{l.line, fmt.Sprintf("unknown filter %q", l.text)})
	}
	if p.now().is(operator, "(") {
		f.args = p.arguments()
	}
	return f
}

// test reads the test after "is".
func (p *parser) test(e expression) expression {
	negated := p.skip(name, "not")
	l := p.expect(name, "")
	t := &test{line: l.line, name: l.text, of: e, holds: tests[l.text]}
	if t.holds == nil {
		p.unknown = append(p.unknown, located{l.line, fmt.Sprintf("unknown test %q", l.text)})
	}
	switch next := p.now(); {
	case next.is(operator, "("):
		t.args = p.arguments()
	case next.kind == str, next.kind == integer, next.kind == float, next.is(operator, "["), next.is(operator, "{"),
		next.kind == name && !slices.Contains([]string{"else", "or", "and", "if", "in", "not", "is"}, next.text):
		t.args.values = []expression{p.postfix(p.primary())}
	}
	if negated {
		return negation{t}
	}
	return t
}
