package jinja

import (
	"slices"
	"strconv"
)

// tuple reads an expression, or several with commas between.
func (p *parser) tuple() expression { return p.tupleOf(p.expression, "") }

// tupleOf reads elements up to the end of the tag, a closing parenthesis or the
// name that ends it.
func (p *parser) tupleOf(element func() expression, ending string) expression {
	var items []expression
	several := false
	for {
		if l := p.now(); l.kind == endVariable || l.kind == endBlock || l.is(operator, ")") || ending != "" && l.is(name, ending) {
			break
		}
		items = append(items, element())
		if !p.op(",") {
			break
		}
		several = true
	}
	switch {
	case several:
		return &listing{items, true}
	case len(items) == 1:
		return items[0]
	}
	failAt(p.now().line, "expected an expression, found %s", p.now())
	return nil
}

// expression reads an expression with the lowest precedence: a if b else c.
func (p *parser) expression() expression {
	p.nest()
	defer func() { p.depth-- }()
	e := p.or()
	for p.skip(name, "if") {
		c := &conditional{then: e, test: p.or()}
		if p.skip(name, "else") {
			c.otherwise = p.expression()
		}
		e = c
	}
	return e
}

func (p *parser) or() expression {
	e := p.and()
	for p.skip(name, "or") {
		e = &logical{e, p.and(), true}
	}
	return e
}

func (p *parser) and() expression {
	e := p.not()
	for p.skip(name, "and") {
		e = &logical{e, p.not(), false}
	}
	return e
}

func (p *parser) not() expression {
	if p.skip(name, "not") {
		p.nest()
		defer func() { p.depth-- }()
		return negation{p.not()}
	}
	return p.compare()
}

var comparisons = []string{"==", "!=", "<", "<=", ">", ">="}

func (p *parser) compare() expression {
	first := p.sum()
	c := &comparison{line: p.now().line, first: first}
	for {
		switch l := p.now(); {
		case l.kind == operator && slices.Contains(comparisons, l.text):
			p.next()
			c.ops = append(c.ops, operand{l.text, p.sum()})
		case p.skip(name, "in"):
			c.ops = append(c.ops, operand{"in", p.sum()})
		case l.is(name, "not") && p.tokens[p.at+1].is(name, "in"):
			p.at += 2
			c.ops = append(c.ops, operand{"not in", p.sum()})
		case len(c.ops) == 0:
			return first
		default:
			return c
		}
	}
}

// chain reads operands with operators of one precedence between.
func (p *parser) chain(operand func() expression, operators ...string) expression {
	e := operand()
	for p.now().kind == operator && slices.Contains(operators, p.now().text) {
		l := p.next()
		e = &binary{l.line, l.text, e, operand()}
	}
	return e
}

func (p *parser) sum() expression     { return p.chain(p.concat, "+", "-") }
func (p *parser) concat() expression  { return p.chain(p.product, "~") }
func (p *parser) product() expression { return p.chain(p.power, "*", "/", "//", "%") }
func (p *parser) power() expression {
	return p.chain(func() expression { return p.unary(true) }, "**")
}

func (p *parser) unary(filtered bool) expression {
	p.nest()
	defer func() { p.depth-- }()
	var e expression
	switch l := p.now(); {
	case p.op("-"), p.op("+"):
		e = &sign{l.line, l.text == "-", p.unary(false)}
	default:
		e = p.primary()
	}
	e = p.postfix(e)
	for filtered {
		switch {
		case p.now().is(operator, "|"):
			e = p.filters(e)
		case p.skip(name, "is"):
			e = p.test(e)
		case p.now().is(operator, "("):
			e = p.call(e)
		default:
			return e
		}
	}
	return e
}

func (p *parser) primary() expression {
	switch l := p.next(); l.kind {
	case name:
		return named(l.text)
	case str:
		text := l.text
		for p.now().kind == str {
			text += p.next().text
		}
		return constant{literal(text)}
	case integer, float:
		return constant{number(l)}
	case operator:
		switch l.text {
		case "(":
			return p.parenthesis()
		case "[":
			return &listing{p.items("]", p.expression), false}
		case "{":
			return p.dictionary()
		}
		failAt(l.line, "unexpected %s", l)
	default:
		failAt(l.line, "unexpected %s", l)
	}
	return nil
}

func named(text string) expression {
	switch text {
	case "true", "True":
		return constant{true}
	case "false", "False":
		return constant{false}
	case "none", "None":
		return constant{nil}
	}
	return variable(text)
}

func number(l lexeme) Value {
	if l.kind == float {
		x, err := strconv.ParseFloat(l.text, 64)
		if err != nil {
			failAt(l.line, "%s is no number", l.text)
		}
		return x
	}
	n, err := strconv.ParseInt(l.text, 10, 64)
	if err != nil {
		failAt(l.line, "%s is too large", l.text)
	}
	return n
}

func (p *parser) parenthesis() expression {
	if p.op(")") {
		return &listing{nil, true}
	}
	e := p.tuple()
	p.expect(operator, ")")
	return e
}

// items reads elements with commas between up to a closing bracket.
func (p *parser) items(closing string, element func() expression) []expression {
	var list []expression
	for !p.op(closing) {
		if len(list) > 0 {
			p.expect(operator, ",")
			if p.op(closing) {
				break
			}
		}
		list = append(list, element())
	}
	return list
}

func (p *parser) dictionary() expression {
	d := &dictionary{line: p.now().line}
	d.values = p.items("}", func() expression {
		d.keys = append(d.keys, p.expression())
		p.expect(operator, ":")
		return p.expression()
	})
	return d
}

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

// subscript reads what stands between brackets: a key, or start:stop:step.
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

// arguments reads those of a call, in parentheses.
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
			failAt(p.now().line, "an argument without a name follows one with a name")
		}
		a.values = append(a.values, p.expression())
	}
	return a
}

// filters reads any number of filters, each behind a bar.
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
		failAt(l.line, "the filter %q is not known here", l.text)
	}
	if p.now().is(operator, "(") {
		f.args = p.arguments()
	}
	return f
}

// test reads what follows "is".
func (p *parser) test(e expression) expression {
	negated := p.skip(name, "not")
	l := p.expect(name, "")
	t := &test{line: l.line, name: l.text, of: e, holds: tests[l.text]}
	if t.holds == nil {
		failAt(l.line, "the test %q is not known here", l.text)
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
