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
	return concat(texts...)
}

func (m *machine) onText(op string, x Text, y Value) Value {
	switch op {
	case "+":
		if y, ok := y.(Text); ok {
			return m.join(x, y)
		}
	case "*":
		if n, ok := exact(y); ok {
			return m.repeat(x, n)
		}
	case "%":
		return m.percent(x, y)
	}
	fail("a string and %s cannot be put together by %s", describe(y), op)
	return nil
}

func (m *machine) repeat(t Text, n int64) Text {
	if n <= 0 || t.s == "" {
		return Text{}
	}
	m.workTimes(len(t.s)+16*len(t.runs), n)
	if t.runs == nil {
		return Text{s: strings.Repeat(t.s, int(n)), mark: t.mark}
	}
	var b builder
	for range n {
		b.add(t)
	}
	return b.text()
}

// workTimes is work for n things that take each.
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
	fail("%s and %s cannot be put together by %s", describe(x), describe(y), op)
	return nil
}

// arithmetic is that of Python: whole numbers stay whole but for division.
func (m *machine) arithmetic(op string, a, b Value) Value {
	x, xInt := exact(a)
	y, yInt := exact(b)
	if xInt && yInt && op != "/" && (op != "**" || y >= 0) {
		return whole(op, x, y)
	}
	p, pOK := asFloat(a)
	q, qOK := asFloat(b)
	if !pOK || !qOK {
		fail("%s and %s cannot be put together by %s", describe(a), describe(b), op)
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
		fail("a number is too large")
	}
	return n
}

// power multiplies at most 63 times: more does not fit, unless of 0, 1 and -1.
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

// slicing is v[start:stop:step].
type slicing struct {
	line                  int
	of, start, stop, step expression
}

func (s *slicing) eval(f *frame) Value {
	v := f.eval(s.of)
	bound := func(e expression) Value {
		if e == nil {
			return nil
		}
		return f.eval(e)
	}
	start, stop, step := bound(s.start), bound(s.stop), bound(s.step)
	f.line = s.line
	return f.slice(v, start, stop, step)
}

func (m *machine) slice(v, start, stop, step Value) Value {
	switch v := v.(type) {
	case undefined:
		fail("%s, and so cannot be sliced", v.what)
	case Text:
		r := newSpan(m.length(v), start, stop, step)
		if r.step == 1 {
			m.work(len(v.s) / 8)
			if r.start >= r.stop {
				return Text{}
			}
			from, to := byteRange(v.s, r.start, r.stop)
			return v.Slice(from, to)
		}
		chars := m.each(v)
		var b builder
		r.each(func(i int) { b.add(chars[i].(Text)) })
		return b.text()
	case *List:
		if v.kind != iterator {
			m.work(valueWork * len(v.items))
			part := &List{kind: v.kind}
			newSpan(len(v.items), start, stop, step).each(func(i int) { part.items = append(part.items, v.items[i]) })
			return part
		}
	}
	return undefined{describe(v) + " has no slices"}
}

// span is the range of indices that a slice takes.
type span struct{ start, stop, step int }

// newSpan does what Python's slice.indices does.
func newSpan(n int, start, stop, step Value) span {
	s := span{step: 1}
	if step != nil {
		s.step = index(step, math.MaxInt32)
	}
	if s.step == 0 {
		fail("the step of a slice is 0")
	}
	low, high := 0, n
	if s.step < 0 {
		low, high = -1, n-1
	}
	clamp := func(v Value, missing int) int {
		if v == nil {
			return missing
		}
		i := index(v, n+1)
		if i < 0 {
			i += n
		}
		return max(low, min(i, high))
	}
	if s.start, s.stop = clamp(start, low), clamp(stop, high); s.step < 0 {
		s.start, s.stop = clamp(start, high), clamp(stop, low)
	}
	return s
}

// index returns a bound of a slice, which may be cut to the limit.
func index(v Value, limit int) int {
	i, ok := exact(v)
	if !ok {
		fail("a slice begins and ends at whole numbers, not at %s", describe(v))
	}
	return int(max(-int64(limit), min(i, int64(limit))))
}

func (s span) each(do func(i int)) {
	for i := s.start; s.step > 0 && i < s.stop || s.step < 0 && i > s.stop; i += s.step {
		do(i)
	}
}
