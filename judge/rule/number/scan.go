package number

import (
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"
)

const digits = `\.?\d(?:\d|[.,'\x{a0}\x{2009}\x{202f}]\d)*`

// The groups: numeral, power of ten, vulgar fraction, or that alone, denominator.
var numerals = regexp.MustCompile(`(?:(` + digits + `)([eE][-+]?\d+)?(?:[ \t]?([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]))?|([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]))(?:[ \t]*/[ \t]*(` + digits + `))?`)

// letter is one of a script that puts blanks between words and numbers.
const letter = `[\p{Latin}\p{Greek}\p{Cyrillic}]`

// What may stand right before a number.
var (
	inWord   = regexp.MustCompile(`(?:` + letter + `_?|\d_|(?:` + letter + `|})\^\{?)$`) // H2O, x_1, and the power of a unit: cm^2
	negative = regexp.MustCompile(`(?:(?:^|[\s(\[{=:*_"“',\p{Sc}≈])[-−–]|=[ \t]*[-−–][ \t]*)[\p{Sc}]?$`)
	positive = regexp.MustCompile(`(?:^|[\s(\[{=:*_"“',\p{Sc}≈])\+[\p{Sc}]?$`)
	operator = regexp.MustCompile(`(?:[-−–—+×÷·^√±<≤≥]|[\pL\d)\]}](?:[ \t]+[*/][ \t]+|\*{1,2}|/)|[^\s>][ \t]*>|\\[a-zA-Z]+|[\pL\d)]\()[ \t]*[(\p{Sc}{\[]*$`)
)

// What may stand right behind a number.
var (
	magnitude = regexp.MustCompile(`(?i)^[ \t]*(thousand|million|billion|trillion)\b`)
	kilo      = regexp.MustCompile(`^k(?:[^\pL\d]|$)`)
	variable  = regexp.MustCompile(`^` + letter + `(?:[^\pL\d]|$)`)
	unitary   = regexp.MustCompile(`^[mgslhLJNWVCFK]`)
	continued = regexp.MustCompile(`^[}\])]*[ \t]*(?:\^|_\d|[⁰¹²³⁴⁵⁶⁷⁸⁹]|\\[a-zA-Z]|[√±]|[+×÷·][ \t]*[\pL\d(\\$√]|\*{1,2}[\pL\d(\\]|[ \t]\*[ \t]+[\pL\d(\\]|/[ \t]*[\d(\\])`)
)

// based is behind the 0 of a number that is not decimal: 0x1F.
var based = regexp.MustCompile(`^[xXbBoO][\da-fA-F]`)

var powers = map[string]int64{"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

// quantities lists the numbers of a text in order. Those that are terms of one
// expression, range or list are one quantity.
func quantities(text string) (all []quantity) {
	for _, m := range numerals.FindAllStringSubmatchIndex(text, -1) {
		q, ok := scan(text, m)
		if !ok {
			continue
		}
		if n := len(all); n > 0 {
			if joined, ok := join(all[n-1], q, text[all[n-1].end:q.start]); ok {
				all[n-1] = joined
				continue
			}
		}
		all = append(all, q)
	}
	return all
}

// scan reads a match of numerals and the text around it. It is not ok for digits that are part of a
// word.
func scan(text string, m []int) (quantity, bool) {
	before, after := window(text, m[0]), text[m[1]:min(len(text), m[1]+lookaround)]
	if inWord.MatchString(before) {
		return quantity{}, false
	}
	q := quantity{value: value(groups(text, m)), start: m[0], end: m[1]}
	minus := negative.MatchString(before)
	q.operand = !minus && !positive.MatchString(before) && operator.MatchString(before)
	if minus && q.value != nil {
		q.value.Neg(q.value)
	}
	if q.operand || continued.MatchString(after) || text[m[0]:m[1]] == "0" && based.MatchString(after) {
		q.value = nil
	}
	return q.scale(after), true
}

// scale takes in a magnitude behind the number: 2 million, 5k. A letter that is
// neither this nor a unit is a variable: 2x is no number.
func (q quantity) scale(after string) quantity {
	factor := int64(1)
	switch m := magnitude.FindStringSubmatch(after); {
	case m != nil:
		factor = powers[strings.ToLower(m[1])]
		q.end += len(m[0])
	case kilo.MatchString(after):
		factor = 1e3
		q.end++
	case variable.MatchString(after) && !unitary.MatchString(after):
		q.value = nil
	}
	if q.value != nil {
		q.value.Mul(q.value, new(big.Rat).SetInt64(factor))
	}
	return q
}

// lookaround is the number of bytes around a number that scan reads.
const lookaround = 48

func window(text string, end int) string {
	from := max(0, end-lookaround)
	for from < end && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:end]
}

// groups returns what the groups of a match caught.
func groups(text string, m []int) []string {
	caught := make([]string, len(m)/2)
	for i := range caught {
		if m[2*i] >= 0 {
			caught[i] = text[m[2*i]:m[2*i+1]]
		}
	}
	return caught
}
