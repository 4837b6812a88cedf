package jinja

import "slices"

// maxNesting is the maximum depth of nested blocks and expressions. It bounds the recursion of the
// parser and of the rendering.
const maxNesting = 200

// parser parses statements and expressions by the grammar of Jinja's own parser (jinja2/parser.py,
// version 3.1).
type parser struct {
	tokens []lexeme
	at     int
	depth  int
	loops  int  // loops around the current statement, within its macro
	marks  bool // whether there is a {% generation %}

	unknown []located // filters and tests that herd does not know, see tolerate
}

// tolerate allows unknown filters and tests in what was read since before, the length of unknown:
// they fail when the template uses them. Jinja 2 does so in {% if %} and in "a if b else c", so
// that templates can test for what a program offers.
func (p *parser) tolerate(before int) { p.unknown = p.unknown[:before] }

// refuse fails if there are unknown filters or tests in what was read since before. Jinja 2 does
// so outside of conditions, and in every block that opens a scope, such as a loop within an if.
func (p *parser) refuse(before int) {
	if len(p.unknown) > before {
		failAt(p.unknown[before].line, "%s", p.unknown[before].text)
	}
}

// scoped reads a block that opens a scope.
func (p *parser) scoped(ends ...string) ([]statement, string) {
	before := len(p.unknown)
	body, ended := p.block(ends...)
	p.refuse(before)
	return body, ended
}

func (p *parser) now() lexeme { return p.tokens[p.at] }

func (p *parser) next() lexeme {
	l := p.tokens[p.at]
	if l.kind != end {
		p.at++
	}
	return l
}

// skip consumes the given name or operator if it is next.
func (p *parser) skip(k kind, text string) bool {
	if p.now().is(k, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(k kind, text string) lexeme {
	l := p.next()
	if l.kind != k || text != "" && l.text != text {
		if text == "" {
			text = "a name"
		}
		failAt(l.line, "expected %s, found %s", text, l)
	}
	return l
}

func (p *parser) op(text string) bool { return p.skip(operator, text) }

func (p *parser) nest() {
	if p.depth++; p.depth > maxNesting {
		failAt(p.now().line, "blocks or expressions are nested more than %d levels deep", maxNesting)
	}
}

// statements reads statements up to one of the given end tags, without its "%}". If there are no
// end tags, it reads up to the end of the template.
func (p *parser) statements(ends ...string) []statement {
	p.nest()
	defer func() { p.depth-- }()
	var list []statement
	for {
		switch l := p.next(); l.kind {
		case data:
			list = append(list, &output{l.line, constant{literal(l.text)}})
		case beginVariable:
			list = append(list, &output{l.line, p.tuple()})
			p.expect(endVariable, "}}")
		case beginBlock:
			tag := p.expect(name, "")
			if slices.Contains(ends, tag.text) {
				p.at--
				return list
			}
			if s := p.statement(tag); s != nil {
				list = append(list, s)
			}
			p.expect(endBlock, "%}")
		default:
			if len(ends) > 0 {
				failAt(l.line, "expected {%% %s %%}, found the end of the template", ends[0])
			}
			return list
		}
	}
}

// block reads "%}" and the statements up to an end tag, and returns both.
func (p *parser) block(ends ...string) ([]statement, string) {
	p.op(":")
	p.expect(endBlock, "%}")
	body := p.statements(ends...)
	return body, p.next().text
}

func (p *parser) statement(tag lexeme) statement {
	switch tag.text {
	case "if":
		return p.parseIf()
	case "for":
		return p.parseFor()
	case "set":
		return p.parseSet(tag.line)
	case "macro":
		return p.parseMacro()
	case "call":
		return p.parseCall(tag.line)
	case "filter":
		return p.parseFilterBlock(tag.line)
	case "with":
		return p.parseWith()
	case "generation":
		p.marks = true
		body, _ := p.scoped("endgeneration")
		return generation{body}
	case "break", "continue":
		if p.loops == 0 {
			failAt(tag.line, "%s outside of a loop", tag.text)
		}
		return jump(tag.text)
	}
	failAt(tag.line, "unknown tag %q", tag.text)
	return nil
}

func (p *parser) parseIf() statement {
	defer p.tolerate(len(p.unknown))
	s := &branch{test: p.tupleOf(p.or, "")}
	body, ended := p.block("elif", "else", "endif")
	s.then = body
	switch ended {
	case "elif":
		p.nest()
		s.otherwise = []statement{p.parseIf()}
		p.depth--
	case "else":
		s.otherwise, _ = p.block("endif")
	}
	return s
}

func (p *parser) parseFor() statement {
	s := &loop{line: p.now().line, target: p.target("in")}
	p.expect(name, "in")
	s.over = p.tupleOf(p.or, "recursive")
	if p.skip(name, "if") {
		before := len(p.unknown)
		s.where = p.expression()
		p.refuse(before)
	}
	s.recursive = p.skip(name, "recursive")
	p.loops++
	body, ended := p.scoped("endfor", "else")
	p.loops--
	s.body = body
	if ended == "else" {
		s.otherwise, _ = p.scoped("endfor")
	}
	return s
}

func (p *parser) parseSet(line int) statement {
	s := &assignment{line: line, target: p.target("")}
	if p.op("=") {
		s.value = p.tuple()
		return s
	}
	before := len(p.unknown)
	s.filters = p.filters(nil)
	s.body, _ = p.block("endset")
	p.refuse(before)
	return s
}

func (p *parser) parseMacro() statement {
	m := &macro{name: p.expect(name, "").text}
	p.signature(m)
	p.macroBody(m, "endmacro")
	return &define{m}
}

func (p *parser) macroBody(m *macro, ending string) {
	loops := p.loops
	p.loops = 0
	m.body, _ = p.scoped(ending)
	p.loops = loops
}

// signature reads the parameters of a macro.
func (p *parser) signature(m *macro) {
	p.expect(operator, "(")
	for !p.op(")") {
		if len(m.params) > 0 {
			p.expect(operator, ",")
		}
		param := parameter{name: p.expect(name, "").text}
		if p.op("=") {
			param.value = p.expression()
		} else if n := len(m.params); n > 0 && m.params[n-1].value != nil {
			failAt(p.now().line, "parameter %q without a default follows one with a default", param.name)
		}
		m.params = append(m.params, param)
	}
}

func (p *parser) parseCall(line int) statement {
	m := &macro{name: "caller"}
	if p.now().is(operator, "(") {
		p.signature(m)
	}
	called, ok := p.expression().(*call)
	if !ok {
		failAt(line, "expected a call")
	}
	p.macroBody(m, "endcall")
	return &callBlock{line, called, m}
}

func (p *parser) parseFilterBlock(line int) statement {
	before := len(p.unknown)
	s := &filterBlock{line: line, filters: p.filter(nil)}
	s.filters = p.filters(s.filters)
	s.body, _ = p.block("endfilter")
	p.refuse(before)
	return s
}

func (p *parser) parseWith() statement {
	s := &with{}
	for p.now().kind != endBlock {
		if len(s.values) > 0 {
			p.expect(operator, ",")
		}
		s.targets = append(s.targets, p.target(""))
		p.expect(operator, "=")
		s.values = append(s.values, p.expression())
	}
	s.body, _ = p.scoped("endwith")
	return s
}

// target reads the target of an assignment, up to the name that ends it: a name, an attribute of a
// namespace, or a list of these.
func (p *parser) target(ending string) expression {
	t := p.tupleOf(p.primary, ending)
	if v, ok := t.(variable); ok && p.op(".") {
		return &attribute{p.now().line, v, p.expect(name, "").text}
	}
	targets := []expression{t}
	if list, ok := t.(*listing); ok && list.tuple {
		targets = list.items
	}
	for _, t := range targets {
		if _, ok := t.(variable); !ok {
			failAt(p.now().line, "expected names to assign to before %s", p.now())
		}
	}
	return t
}
