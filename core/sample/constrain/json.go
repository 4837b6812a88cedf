package constrain

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on numbers and white space, so that an answer cannot go on for ever (llama.cpp's).
const (
	maxDigits = 16 // of the whole part, after the first, and of the fraction
	maxIndent = 20
)

// JSON returns the grammar of a JSON object (RFC 8259).
func JSON() *Grammar {
	b := &builder{}
	text, value := b.rule(), b.rule()
	b.define(text, seq(space, anyObject(value)))
	b.define(value, anyValue(value))
	return &b.Grammar
}

// space passes a blank before a text, which the first token of SentencePiece's vocabularies may have.
var space = optional(literal(" "))

// blank passes the white space between tokens: nothing, a blank, or new lines and an indent.
func blank(b *builder) part {
	return alt(seq(), literal(" "), seq(literal("\n"), optional(literal("\n")), repeat(oneOf(" \t"), 0, maxIndent)))(b)
}

// Behind returns the grammar of texts that begin with anything, then mark for the first time, and then
// a text of g behind white space: the answers of a model that thinks first.
func (g *Grammar) Behind(mark string) *Grammar {
	b := &builder{}
	b.nodes, b.rules = slices.Clone(g.nodes), slices.Clone(g.rules)
	inner := b.rule()
	b.rules[inner] = g.rules[0]
	b.define(0, seq(until(mark), repeat(oneOf("\n "), 0, 4), call(inner)))
	return &b.Grammar
}

// until passes a text that ends where mark occurs for the first time (Knuth, Morris and Pratt 1977).
func until(mark string) piece {
	return func(b *builder) part {
		matched := make([]int32, len(mark)+1) // nodes behind that many bytes of mark
		for i := range matched {
			matched[i] = b.node()
		}
		for n := range len(mark) {
			for c := range 256 {
				text := mark[:n] + string([]byte{byte(c)})
				k := len(text)
				for !strings.HasPrefix(mark, text[len(text)-k:]) {
					k--
				}
				b.edge(matched[n], byte(c), byte(c), matched[k])
			}
		}
		return part{matched[0], matched[len(mark)]}
	}
}

// anyValue passes any JSON value; value is its rule.
func anyValue(value int32) piece {
	return alt(anyObject(value), anyArray(value), anyString, number, literal("true"), literal("false"), literal("null"))
}

func anyObject(value int32) piece { return object(pairs(anyString, call(value), 0)) }

func anyArray(value int32) piece { return array(nil, call(value), 0, unlimited) }

// object passes braces around members.
func object(members piece) piece { return seq(literal("{"), blank, members, literal("}")) }

// pairs passes any number of members, at least low, each followed by white space.
func pairs(key, value piece, low int) piece {
	one := member(key, value)
	more := seq(one, repeat(seq(comma, one), max(0, low-1), unlimited))
	if low > 0 {
		return more
	}
	return optional(more)
}

// member passes a key and its value.
func member(key, value piece) piece { return seq(key, blank, literal(":"), blank, value, blank) }

var comma = seq(literal(","), blank)

// array passes brackets around values: one of each piece of first, and then any number of rest, so
// that there are low to high in all. A rest of nil means that there are no more.
func array(first []piece, rest piece, low, high int) piece {
	if rest == nil {
		high = len(first)
	} else if high != unlimited && high < len(first) {
		first = first[:high]
	}
	values := func(b *builder) part {
		p := part{b.node(), b.node()}
		at := p.in
		next := func(n int, value piece) { // value n, counted from 0
			if n >= low {
				b.join(at, p.out)
			}
			one := seq(value, blank)
			if n > 0 {
				one = seq(comma, one)
			}
			made := one(b)
			b.join(at, made.in)
			at = made.out
		}
		for n, value := range first {
			next(n, value)
		}
		switch n := len(first); {
		case rest == nil || n == high:
			b.join(at, p.out)
		case high == unlimited:
			for ; n < max(low, 1); n++ {
				next(n, rest)
			}
			more := repeat(seq(comma, rest, blank), 0, unlimited)(b)
			b.join(at, more.in)
			b.join(more.out, p.out)
		default:
			for ; n < high && b.err == nil; n++ {
				next(n, rest)
			}
			b.join(at, p.out)
		}
		return p
	}
	return seq(literal("["), blank, values, literal("]"))
}

// anyString passes any string.
func anyString(b *builder) part { return text(0, unlimited)(b) }

// text passes a string of low to high characters.
func text(low, high int) piece {
	return seq(literal(`"`), repeat(character, low, high), literal(`"`))
}

var (
	hexDigit = alt(span('0', '9'), span('a', 'f'), span('A', 'F'))
	digit    = span('0', '9')
)

// character passes one character of a string, as itself or escaped. A character beyond the first
// 65,536 is escaped as two surrogates, and none stands alone.
func character(b *builder) part {
	plain := alt(
		seq(alt(span('0', '9'), oneOf("abcefABCEF")), repeat(hexDigit, 3, 3)),
		seq(oneOf("dD"), span('0', '7'), repeat(hexDigit, 2, 2)),
	)
	high := seq(oneOf("dD"), alt(span('8', '9'), oneOf("abAB")), repeat(hexDigit, 2, 2))
	low := seq(oneOf("dD"), oneOf("cdefCDEF"), repeat(hexDigit, 2, 2))
	return alt(
		runes(' ', '!', '#', '[', ']', utf8.MaxRune),
		seq(literal(`\`), oneOf(`"\/bfnrt`)),
		seq(literal(`\u`), plain),
		seq(literal(`\u`), high, literal(`\u`), low),
	)(b)
}

var (
	natural  = alt(literal("0"), seq(span('1', '9'), repeat(digit, 0, maxDigits)))
	fraction = seq(literal("."), repeat(digit, 1, maxDigits))
	exponent = seq(oneOf("eE"), optional(oneOf("+-")), repeat(digit, 1, 2))
)

// number passes any number that 64-bit floats can hold.
func number(b *builder) part {
	return seq(optional(literal("-")), natural, optional(fraction), optional(exponent))(b)
}

// quoted passes exactly one string, with no more escapes than it needs.
func quoted(s string) piece {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string has JSON
	return literal(strings.TrimSuffix(b.String(), "\n"))
}
