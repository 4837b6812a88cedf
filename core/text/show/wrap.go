package show

import "unicode"

// Wrap cuts a line into parts of at most width columns of a terminal, at spaces where
// there are any.
func Wrap(line string, width int) []string {
	var parts []string
	start, space, columns := 0, -1, 0
	for i, r := range line {
		w := runeWidth(r)
		if columns+w > width && i > start {
			end, next := i, i
			if r == ' ' {
				next = i + 1
			} else if space > start {
				end, next = space, space+1
			}
			parts = append(parts, line[start:end])
			start, space, columns = next, -1, 0
			if next <= i {
				columns = textWidth(line[next:i])
			}
		}
		if i < start {
			continue
		}
		if r == ' ' {
			space = i
		}
		columns += w
	}
	return append(parts, line[start:])
}

func textWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth returns the columns that a terminal gives to r: two for the blocks
// of East Asian scripts and emoji, none for marks.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}
