package jinja

import "math"

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
		fail("%s, so it cannot be sliced", v.what)
	case Text:
		r := newSpan(m.length(v), start, stop, step)
		if r.step == 1 {
			m.work(len(v.s) / 8)
			if r.start >= r.stop {
				return Text{safe: v.safe}
			}
			from, to := byteRange(v.s, r.start, r.stop)
			return v.Slice(from, to)
		}
		chars := m.each(v)
		var b builder
		r.each(func(i int) { b.add(chars[i].(Text)) })
		return b.text().as(v.safe)
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

// newSpan matches Python's slice.indices.
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

// index returns a bound of a slice, clamped to the limit.
func index(v Value, limit int) int {
	i, ok := exact(v)
	if !ok {
		fail("expected a whole number as the bound of a slice, not %s", describe(v))
	}
	return int(max(-int64(limit), min(i, int64(limit))))
}

func (s span) each(do func(i int)) {
	for i := s.start; s.step > 0 && i < s.stop || s.step < 0 && i > s.stop; i += s.step {
		do(i)
	}
}
