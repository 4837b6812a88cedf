package number

import (
	"math/big"
	"regexp"
	"strings"
)

// What may stand between two numbers of one quantity; joiner without what is
// around them and the sign of the second.
var (
	equals = regexp.MustCompile(`^[^\n.,;:!?=≈]*[=≈][-−–+ \t\p{Sc}*_({\[]*$`)
	joiner = regexp.MustCompile(`^(?:|[—×÷·*xX:,;|&/^]|[^\n.;:!?]*\b(?:and|or)|to|through|by|vs\.?)$`)
	clause = regexp.MustCompile(`[\n.,;:!?]`)
)

// around matches text around a number that does not change its meaning.
const around = " \t$€£¥₹₩₽₺₫₱฿*_%"

// join combines a and b to one quantity if the gap between them does.
func join(a, b quantity, gap string) (quantity, bool) {
	whole := quantity{start: a.start, end: b.end, operand: a.operand}
	switch {
	case strings.ContainsRune(gap, '\n'):
		return quantity{}, false
	case equals.MatchString(gap): // 48 + 24 = 72
		whole.value = b.value
		return whole, true
	case a.proper() && b.fraction() && strings.Trim(gap, " \t") == "": // 2 1/2
		whole.value = mix(a.value, b.value)
		return whole, true
	case b.operand && !clause.MatchString(gap): // 48 clips + 24
		return whole, true
	}
	return whole, joiner.MatchString(strings.TrimRight(strings.TrimLeft(gap, around), around+"+-−–"))
}

func (q quantity) proper() bool { return q.value != nil && q.value.IsInt() }

// fraction reports whether q is between 0 and 1.
func (q quantity) fraction() bool {
	return q.value != nil && q.value.Sign() > 0 && q.value.Cmp(big.NewRat(1, 1)) < 0
}

// mix adds a fraction to a whole number, away from zero.
func mix(whole, part *big.Rat) *big.Rat {
	if whole.Sign() < 0 {
		part = new(big.Rat).Neg(part)
	}
	return new(big.Rat).Add(whole, part)
}
