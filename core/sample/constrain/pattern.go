package constrain

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// match returns the contents of JSON strings that match a regular expression somewhere, as JSON Schema
// has it. The expression may not look around. Characters are escaped only where they must be.
func match(pattern string) (piece, error) {
	if len(pattern) > 1<<12 {
		return nil, fmt.Errorf("is longer than %d bytes", 1<<12)
	}
	re, err := syntax.Parse(pattern, syntax.Perl|syntax.UnicodeGroups)
	if err != nil {
		return nil, fmt.Errorf("herd does not understand it: %w", err)
	}
	return search(re)
}

// search passes anything around an expression, except where ^ or $ anchors it.
func search(re *syntax.Regexp) (piece, error) {
	switch re.Op {
	case syntax.OpCapture:
		return search(re.Sub[0])
	case syntax.OpAlternate:
		var pieces []piece
		for _, sub := range re.Sub {
			p, err := search(sub)
			if err != nil {
				return nil, err
			}
			pieces = append(pieces, p)
		}
		return alt(pieces...), nil
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	before, after := anything, anything
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		before, parts = seq(), parts[1:]
	}
	if n := len(parts); n > 0 && parts[n-1].Op == syntax.OpEndText {
		after, parts = seq(), parts[:n-1]
	}
	inner, err := all(parts)
	return seq(before, inner, after), err
}

var anything = repeat(encoded([]rune{0, unicode.MaxRune}), 0, unlimited)

func all(list []*syntax.Regexp) (piece, error) {
	var pieces []piece
	for _, re := range list {
		p, err := expression(re)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
	}
	return seq(pieces...), nil
}

var errAnchor = errors.New("has ^, $ or \\b inside: herd can anchor a pattern only at its ends")

// expression passes what an expression matches.
func expression(re *syntax.Regexp) (piece, error) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return seq(), nil
	case syntax.OpLiteral:
		var pieces []piece
		for _, r := range re.Rune {
			pieces = append(pieces, encoded(folded(r, re.Flags&syntax.FoldCase != 0)))
		}
		return seq(pieces...), nil
	case syntax.OpCharClass:
		if len(re.Rune) == 0 {
			return nil, errors.New("has a class without characters")
		}
		return encoded(re.Rune), nil
	case syntax.OpAnyChar:
		return encoded([]rune{0, unicode.MaxRune}), nil
	case syntax.OpAnyCharNotNL: // ECMA 262 excludes four characters
		return encoded([]rune{0, '\n' - 1, '\n' + 1, '\r' - 1, '\r' + 1, 0x2027, 0x202a, unicode.MaxRune}), nil
	case syntax.OpCapture:
		return expression(re.Sub[0])
	case syntax.OpConcat:
		return all(re.Sub)
	case syntax.OpAlternate:
		var pieces []piece
		for _, sub := range re.Sub {
			p, err := expression(sub)
			if err != nil {
				return nil, err
			}
			pieces = append(pieces, p)
		}
		return alt(pieces...), nil
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		p, err := expression(re.Sub[0])
		if err != nil {
			return nil, err
		}
		low, high := count(re)
		return repeat(p, low, high), nil
	}
	return nil, errAnchor
}

func count(re *syntax.Regexp) (low, high int) {
	switch re.Op {
	case syntax.OpStar:
		return 0, unlimited
	case syntax.OpPlus:
		return 1, unlimited
	case syntax.OpQuest:
		return 0, 1
	}
	return re.Min, re.Max // -1 is unlimited here too
}

// folded returns the character as a range, and the others of its case.
func folded(r rune, fold bool) []rune {
	list := []rune{r, r}
	if fold {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			list = append(list, f, f)
		}
	}
	return list
}

// encoded passes one character of the ranges, as a JSON string has it.
func encoded(ranges []rune) piece {
	var plain []rune
	var pieces []piece
	for i := 0; i+1 < len(ranges); i += 2 {
		low, high := ranges[i], min(ranges[i+1], utf8.MaxRune)
		for r := low; r <= min(high, ' '-1); r++ {
			pieces = append(pieces, literal(control(r)))
		}
		for _, r := range []rune{'"', '\\'} {
			if low <= r && r <= high {
				pieces = append(pieces, literal(`\`+string(r)))
			}
		}
		low = max(low, ' ')
		for _, r := range []rune{'"', '\\'} {
			if low <= r && r <= high {
				if low < r {
					plain = append(plain, low, r-1)
				}
				low = r + 1
			}
		}
		if low <= high {
			plain = append(plain, low, high)
		}
	}
	if len(plain) > 0 {
		pieces = append(slices.Clip(pieces), runes(plain...))
	}
	return alt(pieces...)
}

// control returns a control character as a JSON string has it.
func control(r rune) string {
	if i := strings.IndexRune("\b\f\n\r\t", r); i >= 0 {
		return `\` + "bfnrt"[i:i+1]
	}
	return fmt.Sprintf(`\u%04x`, r)
}
