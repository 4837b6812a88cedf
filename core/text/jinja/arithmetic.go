package jinja

import (
	"math"
	"math/bits"
	"strings"
)

// sign is a plus or minus before an expression.
type sign struct {
	line  int
	minus bool
	of    expression
}

func (s *sign) eval(f *frame) Value {
	v := f.eval(s.of)
	f.line = s.line
	if !s.minus {
		v = f.arithmetic("+", int64(0), v)
	} else {
		v = f.arithmetic("-", int64(0), v)
	}
	return v
}

// binary is an operation on two values.
type binary struct {
	line        int
	op          string
	left, right expression
}

func (b *binary) eval(f *frame) Value {
	x, y := f.eval(b.left), f.eval(b.right)
	f.line = b.line
	if b.op == "~" {
		return f.join(f.str(x), f.str(y))
	}
	switch x := x.(type) {
	case Text:
		return f.onText(b.op, x, y)
	case *List:
		return f.onList(b.op, x, y)
	}
	if n, ok := exact(x); ok && b.op == "*" {
		switch y := y.(type) {
		case Text:
			return f.repeat(y, n)
		case *List:
			return f.onList("*", y, n)
		}
	}
	return f.arithmetic(b.op, x, y)
}

func (m *machine) join(texts ...Text) Text {
	for _, t := range texts {
		m.work(len(t.s) + 16*len(t.runs))
	}
	return Concat(texts...)
}

func (m *machine) onText(op string, x Text, y Value) Value {
	switch op {
	case "+":
		if y, ok := y.(Text); ok {
			safe := x.safe || y.safe
			return m.join(m.escaping(x, safe), m.escaping(y, safe)).as(safe)
		}
	case "*":
		if n, ok := exact(y); ok {
			return m.repeat(x, n)
		}
	case "%":
		return m.percent(x, y)
	}
	fail("cannot apply %s to a string and %s", op, describe(y))
	return nil
}

func (m *machine) repeat(t Text, n int64) Text {
	if n <= 0 || t.s == "" {
		return Text{safe: t.safe}
	}
	m.workTimes(len(t.s)+16*len(t.runs), n)
	if t.runs == nil {
		return Text{s: strings.Repeat(t.s, int(n)), mark: t.mark, safe: t.safe}
	}
	var b builder
	for range n {
		b.add(t)
	}
	return b.text().as(t.safe)
}

// workTimes counts the work of n operations that take the given number of units each.
func (m *machine) workTimes(each int, n int64) {
	hi, lo := bits.Mul64(uint64(each), uint64(n))
	if hi > 0 || lo > math.MaxInt32 {
		m.work(-1)
	}
	m.work(int(lo))
}

func (m *machine) onList(op string, x *List, y Value) Value {
	switch op {
	case "+":
		if y, ok := y.(*List); ok && x.kind == y.kind && x.kind != iterator {
			m.work(valueWork * (len(x.items) + len(y.items)))
			return &List{items: append(append([]Value{}, x.items...), y.items...), kind: x.kind}
		}
	case "*":
		if n, ok := exact(y); ok && x.kind != iterator {
			product := &List{kind: x.kind}
			m.workTimes(valueWork*(len(x.items)+1), max(n, 0))
			for range n {
				product.items = append(product.items, x.items...)
			}
			return product
		}
	}
	fail("cannot apply %s to %s and %s", op, describe(x), describe(y))
	return nil
}

// arithmetic follows Python: whole numbers give a whole number, except in division and negative
// powers.
func (m *machine) arithmetic(op string, a, b Value) Value {
	x, xInt := exact(a)
	y, yInt := exact(b)
	if xInt && yInt && op != "/" && (op != "**" || y >= 0) {
		return whole(op, x, y)
	}
	p, pOK := asFloat(a)
	q, qOK := asFloat(b)
	if !pOK || !qOK {
		fail("cannot apply %s to %s and %s", op, describe(a), describe(b))
	}
	return fractional(op, p, q)
}

func whole(op string, x, y int64) Value {
	var n int64
	fits := true
	switch op {
	case "+":
		n = x + y
		fits = (n > x) == (y > 0)
	case "-":
		n = x - y
		fits = (n < x) == (y > 0)
	case "*":
		n = x * y
		fits = x == 0 || n/x == y && !(x == -1 && y == math.MinInt64)
	case "**":
		return power(x, y)
	default:
		if y == 0 {
			fail("division by zero")
		}
		q, r := x/y, x%y
		if r != 0 && (r < 0) != (y < 0) {
			q, r = q-1, r+y
		}
		if n = q; op == "%" {
			n = r
		}
	}
	if !fits {
		fail("a number does not fit in 64 bits")
	}
	return n
}

// power multiplies at most 63 times: higher powers overflow, except those of 0, 1 and -1.
func power(x, y int64) Value {
	if x >= -1 && x <= 1 && y > 2 {
		y = 2 - y%2
	}
	result := Value(int64(1))
	for range min(y, 64) {
		result = whole("*", result.(int64), x)
	}
	return result
}

func fractional(op string, p, q float64) Value {
	switch op {
	case "+":
		return p + q
	case "-":
		return p - q
	case "*":
		return p * q
	case "**":
		return math.Pow(p, q)
	}
	if q == 0 {
		fail("division by zero")
	}
	switch op {
	case "/":
		return p / q
	case "//":
		return math.Floor(p / q)
	}
	r := math.Mod(p, q)
	if r != 0 && (r < 0) != (q < 0) {
		r += q
	}
	return r
}
