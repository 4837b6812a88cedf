package number

import (
	"math/big"
	"regexp"
	"strings"
)

// written is a decimal numeral, with or without thousands separators. "1,23" and
// "1.234.567" are not: they may be decimals in another country's notation.
var written = regexp.MustCompile(`^(?:\d+|[1-9]\d{0,2}(?:[,'\x{a0}\x{2009}\x{202f}]\d{3})+)?(?:\.\d+)?$`)

var separators = strings.NewReplacer(",", "", "'", "", "\u00a0", "", "\u2009", "", "\u202f", "")

// longest is the maximum number of digits in bytes; no plausible answer has more.
const longest = 400

var vulgar = map[string]*big.Rat{
	"½": big.NewRat(1, 2), "⅓": big.NewRat(1, 3), "⅔": big.NewRat(2, 3), "¼": big.NewRat(1, 4), "¾": big.NewRat(3, 4),
	"⅕": big.NewRat(1, 5), "⅖": big.NewRat(2, 5), "⅗": big.NewRat(3, 5), "⅘": big.NewRat(4, 5), "⅙": big.NewRat(1, 6),
	"⅚": big.NewRat(5, 6), "⅛": big.NewRat(1, 8), "⅜": big.NewRat(3, 8), "⅝": big.NewRat(5, 8), "⅞": big.NewRat(7, 8),
}

// value returns the number of a match of numerals, nil if it is none.
func value(caught []string) *big.Rat {
	numeral, power, mixed, alone, denominator := caught[1], caught[2], caught[3], caught[4], caught[5]
	v := new(big.Rat)
	if alone != "" {
		v.Set(vulgar[alone])
	} else if v = decimal(numeral, power); v == nil {
		return nil
	}
	if mixed != "" {
		if !v.IsInt() {
			return nil
		}
		v.Add(v, vulgar[mixed])
	}
	if denominator == "" {
		return v
	}
	d := decimal(denominator, "")
	if d == nil || d.Sign() == 0 || mixed != "" || alone != "" {
		return nil
	}
	return v.Quo(v, d)
}

// decimal reads digits and a power of ten such as "e-3".
func decimal(numeral, power string) *big.Rat {
	if len(numeral) > longest || len(power) > len("e-308") || !written.MatchString(numeral) {
		return nil
	}
	v, ok := new(big.Rat).SetString(separators.Replace(numeral) + power)
	if !ok {
		return nil
	}
	return v
}
