package constrain

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
)

// whole returns the value of a whole number.
func whole(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	x, ok := new(big.Rat).SetString(string(n))
	if !ok || len(n) > 40 || !x.IsInt() || !x.Num().IsInt64() {
		return 0, false
	}
	return x.Num().Int64(), true
}

// integer returns the integers of a schema. Without limits they have up to 17 digits.
func (c *compiler) integer(s *dict, at string) piece {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	limited := false
	for _, key := range keywords["integer"] {
		v, has := s.values[key]
		if !has {
			continue
		}
		n, ok := whole(v)
		if !ok || n <= -largest || n >= largest {
			return c.refuse(at+"/"+key, "is %v, expected a whole number between -10^17 and 10^17", v)
		}
		limited = true
		switch key {
		case "minimum":
			low = max(low, n)
		case "exclusiveMinimum":
			low = max(low, n+1)
		case "maximum":
			high = min(high, n)
		case "exclusiveMaximum":
			high = min(high, n-1)
		}
	}
	if !limited {
		return seq(optional(literal("-")), natural)
	}
	low, high = max(low, -largest), min(high, largest)
	if low > high {
		return c.refuse(at, "allows no integer: its limits exclude all")
	}
	return between(low, high)
}

// largest is the largest integer that an open limit allows.
const largest = 1e17

// between passes the integers from low to high.
func between(low, high int64) piece {
	var pieces []piece
	if low < 0 {
		pieces = append(pieces, seq(literal("-"), naturals(max(1, -high), -low)))
	}
	if high >= 0 {
		pieces = append(pieces, naturals(max(0, low), high))
	}
	return alt(pieces...)
}

// naturals passes the numbers from low, which is 0 or more, to high.
func naturals(low, high int64) piece {
	var pieces []piece
	for low <= high {
		a := decimal(low)
		end := int64(math.Pow10(len(a))) - 1 // the last with as many digits
		end = min(end, high)
		pieces = append(pieces, digits(a, decimal(end)))
		low = end + 1
	}
	return alt(pieces...)
}

func decimal(n int64) string { return big.NewInt(n).String() }

// digits passes the numbers from low to high, which have as many digits.
func digits(low, high string) piece {
	n := len(low)
	nines, zeros := strings.Repeat("9", n), strings.Repeat("0", n)
	if low == zeros && high == nines {
		return repeat(digit, n, n)
	}
	if low[0] == high[0] {
		return seq(literal(low[:1]), digits(low[1:], high[1:]))
	}
	nines, zeros = nines[1:], zeros[1:]
	pieces := []piece{
		seq(literal(low[:1]), digits(low[1:], nines)),
		seq(literal(high[:1]), digits(zeros, high[1:])),
	}
	if low[0]+1 < high[0] {
		pieces = append(pieces, seq(span(low[0]+1, high[0]-1), repeat(digit, n-1, n-1)))
	}
	return alt(pieces...)
}
