package number

import (
	"regexp"
	"strings"
)

const (
	hashMark   = "####"
	boxMark    = `\boxed`
	phraseMark = "answer is"
)

var (
	hashed  = regexp.MustCompile(`#{4,}`)
	boxed   = regexp.MustCompile(`\\f?box(?:ed)?\s*\{`)
	phrased = regexp.MustCompile(`(?i)\banswer(?:[ \t]+is\b|[*_ \t]*[:=])`)

	// lead is what may stand between a mark and its number: "x =", a sign, a
	// currency, an opening bracket. Words may not: "#### Step 2" is a heading.
	lead = regexp.MustCompile(`^(?:[^=\d\n]{0,40}=)?[-−–+\s*_$€£¥(\[{:≈~"“]*$`)

	// listed is what follows the number of a heading: "#### 2. Adding up".
	listed = regexp.MustCompile(`^[.)][*_]*[ \t]+[*_]*\pL`)

	// unit is what may stand behind a number in a box, as " cm}^2".
	unit = regexp.MustCompile(`^[\pL\s.,%$€£¥°/(){}\[\]²³-]*(?:\^\{?[23]\}?)?[\s.)}\]]*$`)
)

func hashes(text string) []candidate  { return behind(hashed, text) }
func phrases(text string) []candidate { return behind(phrased, text) }

// behind returns the text after a mark in its line, up to the next mark. A mark counts only with a
// number right after it.
func behind(mark *regexp.Regexp, text string) (found []candidate) {
	marks := append(mark.FindAllStringIndex(text, -1), []int{len(text)})
	for i, at := range marks[:len(marks)-1] {
		line, _, _ := strings.Cut(text[at[1]:marks[i+1][0]], "\n")
		line = plain(line)
		all := quantities(line)
		if len(all) > 0 && lead.MatchString(line[:all[0].start]) && !listed.MatchString(line[all[0].end:]) {
			found = append(found, all[0].candidate(line))
		}
	}
	return found
}

// boxes returns the content of the last box. It ignores the boxes before.
func boxes(text string) []candidate {
	all := boxed.FindAllStringIndex(text, -1)
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1]
	content, closed := braced(text[last[1]:])
	if !closed { // it was cut off, and may lack digits
		return []candidate{{words: text[last[0]:]}}
	}
	line := plain(content)
	within := quantities(line)
	if len(within) != 1 || !lead.MatchString(line[:within[0].start]) || !unit.MatchString(line[within[0].end:]) {
		return []candidate{{words: content}}
	}
	return []candidate{within[0].candidate(line)}
}

// braced returns the text up to the brace that closes one before it.
func braced(text string) (content string, closed bool) {
	depth := 1
	for i, r := range text {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[:i], true
		}
	}
	return "", false
}
