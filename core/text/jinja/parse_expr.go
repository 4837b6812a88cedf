package jinja

import (
	"slices"
	"strconv"
)

// tuple reads an expression, or several separated by commas.
func (p *parser) tuple() expression { return p.tupleOf(p.expression, "") }

// tupleOf reads elements up to the end of the tag, a closing parenthesis, or the name that ends the
// tuple.
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
	before := len(p.unknown)
	e := p.or()
	for p.skip(name, "if") {
		c := &conditional{then: e, test: p.or()}
		if p.skip(name, "else") {
			c.otherwise = p.expression()
		}
		p.tolerate(before)
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

// chain reads operands separated by operators of one precedence.
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
			failAt(l.line, "invalid number %s", l.text)
		}
		return x
	}
	n, err := strconv.ParseInt(l.text, 10, 64)
	if err != nil {
		failAt(l.line, "%s does not fit in 64 bits", l.text)
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

// items reads elements separated by commas, up to a closing bracket.
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
