package constrain

import "fmt"

// maxNodes limits a grammar: lengths and counts are written out.
const maxNodes = 1 << 18

var errLarge = fmt.Errorf("the schema is too large: its grammar has more than %d states, because lengths and counts are written out", maxNodes)

// node is a state of an automaton over bytes.
type node struct {
	edges []edge
	free  []int32 // nodes reached without a byte
	call  int32   // rule to pass first, before free; none: noRule
	last  bool    // ends its rule
}

type edge struct {
	low, high byte
	to        int32
}

const noRule = -1

// Grammar is a set of texts: an automaton with rules that it may call, like procedures.
type Grammar struct {
	nodes []node
	rules []int32 // first node of each rule; the text is rule 0
}

// part is a piece of an automaton under construction, with one way in and one out.
type part struct{ in, out int32 }

// piece makes a part. It is a function because a part that occurs twice needs nodes of its own.
type piece func(*builder) part

// builder makes a grammar. It keeps the first error.
type builder struct {
	Grammar
	err error
}

func (b *builder) node() int32 {
	if len(b.nodes) >= maxNodes {
		if b.err == nil {
			b.err = errLarge
		}
		return 0
	}
	b.nodes = append(b.nodes, node{call: noRule})
	return int32(len(b.nodes) - 1)
}

func (b *builder) join(from, to int32) { b.nodes[from].free = append(b.nodes[from].free, to) }

func (b *builder) edge(from int32, low, high byte, to int32) {
	b.nodes[from].edges = append(b.nodes[from].edges, edge{low, high, to})
}

// rule reserves a rule, to be called before it is defined.
func (b *builder) rule() int32 {
	b.rules = append(b.rules, 0)
	return int32(len(b.rules) - 1)
}

func (b *builder) define(rule int32, p piece) {
	made := p(b)
	b.rules[rule] = made.in
	b.nodes[made.out].last = true
}

// call passes a rule.
func call(rule int32) piece {
	return func(b *builder) part {
		p := part{b.node(), b.node()}
		b.nodes[p.in].call = rule
		b.join(p.in, p.out)
		return p
	}
}

// literal passes one text.
func literal(s string) piece {
	return func(b *builder) part {
		p := part{in: b.node()}
		p.out = p.in
		for i := range len(s) {
			next := b.node()
			b.edge(p.out, s[i], s[i], next)
			p.out = next
		}
		return p
	}
}

// oneOf passes one byte of those listed.
func oneOf(bytes string) piece {
	return func(b *builder) part {
		p := part{b.node(), b.node()}
		for i := range len(bytes) {
			b.edge(p.in, bytes[i], bytes[i], p.out)
		}
		return p
	}
}

// span passes one byte from low to high.
func span(low, high byte) piece {
	return func(b *builder) part {
		p := part{b.node(), b.node()}
		b.edge(p.in, low, high, p.out)
		return p
	}
}

// seq passes all pieces, one after another.
func seq(pieces ...piece) piece {
	return func(b *builder) part {
		p := part{in: b.node()}
		p.out = p.in
		for _, next := range pieces {
			made := next(b)
			b.join(p.out, made.in)
			p.out = made.out
		}
		return p
	}
}

// alt passes one of the pieces.
func alt(pieces ...piece) piece {
	return func(b *builder) part {
		p := part{b.node(), b.node()}
		for _, next := range pieces {
			made := next(b)
			b.join(p.in, made.in)
			b.join(made.out, p.out)
		}
		return p
	}
}

func optional(p piece) piece { return alt(seq(), p) }

// unlimited is a count without an upper limit.
const unlimited = -1

// repeat passes a piece at least low times, and at most high times or without limit.
func repeat(p piece, low, high int) piece {
	return func(b *builder) part {
		whole := part{b.node(), b.node()}
		at := whole.in
		for range low {
			made := p(b)
			b.join(at, made.in)
			if at = made.out; b.err != nil {
				return whole
			}
		}
		b.join(at, whole.out)
		if high == unlimited {
			loop := b.node()
			b.join(at, loop)
			made := p(b)
			b.join(loop, made.in)
			b.join(made.out, loop)
			b.join(made.out, whole.out)
			return whole
		}
		for range high - low {
			made := p(b)
			b.join(at, made.in)
			b.join(made.out, whole.out)
			if at = made.out; b.err != nil {
				return whole
			}
		}
		return whole
	}
}
