package number

import (
	"regexp"
	"strings"
	"unicode"
)

// currencies are words for money that may stand before a number.
const currencies = `USD|US|EUR|GBP|INR|Rs|CAD|AUD|NZD|SGD|HKD|JPY|CNY|RMB|KRW|CHF|SEK|NOK|DKK|PLN|RUB|TRY|BRL|MXN|ZAR|THB|VND|IDR|PHP|NGN|kr|yen|yuan|won|dollars?|euros?|pounds?|rupees?|pesos?|francs?|cents?`

// aside is what may stand between "the answer" and "is".
const aside = `(?:[ \t]+(?:to|for|of|in|I|we|you|that)\b[^.!?:=\n]{0,80}?|,[^.!?:=\n]{1,60}?,|[ \t]*\([^()\d\n]{1,60}\))?`

const (
	hashMark   = "####"
	boxMark    = `\boxed`
	phraseMark = "answer is"
)

var (
	hashed  = regexp.MustCompile(`#{4,}`)
	boxed   = regexp.MustCompile(`\\f?box(?:ed)?\s*\{`)
	phrased = regexp.MustCompile(`(?im)` + strings.Join([]string{
		`\banswers?` + aside + `\s+(?:is|are|was|equals?|becomes|(?:would|should|must|will|could|might|may|has[ \t]+to|have[ \t]+to)(?:[ \t]+\w+)?[ \t]+be|(?:comes|works|adds|amounts)[ \t]+(?:out[ \t]+|up[ \t]+)?to|(?:seems|appears|turns[ \t]+out)[ \t]+to[ \t]+be)\b`,
		`\banswer['’]s\b`,
		`\banswer[ \t]+(?:can[ \t]?not|can['’]t|(?:is|was|would|should|could|must|will|wo)n['’]t)\b`,
		`(?:\b|_)answers?(?:[ \t]*\([^()\n]{1,40}\)|[ \t]+(?:below|here|as[ \t]+follows|in[ \t]+\w+))?["'”’*_ \t` + "`" + `})\]]*[:=：]`,
		`\bans(?:[*_ \t]*[:=：]|\.)`,
		`答案(?:是|为|為|[*_ \t]*[:：=])`,
		`<(?:final[ _-]?)?answer>`,
		`(?:\*\*|__)(?:final[ \t]+)?answer(?:\*\*|__)`,
		`\banswer[ \t]*[(\[]`,
		`^[#>*_ \t]*(?:the[ \t]+)?final[ \t]+answer[*_]*\.[ \t]`,
		`\|[*_ \t]*(?:final[ \t]+)?answer[*_ \t]*\|`, // in a table
		`^[#>*_ \t]*(?:the[ \t]+)?(?:final[ \t]+|correct[ \t]+|my[ \t]+)?answer[*_ \t]*(?:[-–—]+[ \t]+|→|⇒|[-=]>)`,
		`^[#>*_ \t]*answer[*_ \t\r]*$`, // a title
		`\bfinal[ \t]+answer[*_ \t\r]*$`,
	}, `|`))
	explicit = regexp.MustCompile(`[:=：>|]$`)
	bracket  = regexp.MustCompile(`[(\[]$`)
	negated  = regexp.MustCompile(`(?i)n['’]t\b|not\b`)

	// lead is what may stand between a mark and its number: "x =", a sign, a currency, an opening
	// bracket, a quote, "about". Other words may not: "#### Step 2" is a heading.
	lead = regexp.MustCompile(`(?i)^(?:[^=\d\n]{0,40}=)?(?:[-−–+\s\x{a0}\x{2009}*_\p{Sc}(\[{:≈~"“'‘«「|\p{So}]|\b[A-Z]{1,2}\$|\b(?:about|approximately|approx|around|roughly|exactly|only|just|simply|therefore|thus|equal to|a total of|` + currencies + `)\b\.?)*$`)

	quoted = regexp.MustCompile(`^[ \t]*>[ \t]+`)

	// heading begins a title of a part of the solution, behind "####".
	heading = regexp.MustCompile(`(?i)^[\s*_]*(?:(?:step|part|case|example|solution|explanation|reasoning|problem|question|given|calculat\w+|method|approach|verification|check|conclusion|analysis|(?:so,? )?(?:the )?(?:final )?answer)\b)`)

	// listed is what follows the number of a heading or of a list's item: "#### 2. Adding up".
	listed = regexp.MustCompile(`^[.)][*_]*[ \t]+[*_]*\pL`)
	second = regexp.MustCompile(`(?:^|\s)[*_]*2[.)][*_]*[ \t]`)

	// doubtful words between a mark and the only number of its line make its meaning unsure, as
	// the end of a sentence does.
	doubtful = regexp.MustCompile(`(?i)[.!?;](?:\s|$)|[<>≤≥≠±]|n't\b|\b(?:not|never|than|but|except|without|between|least|most|less|more|half|twice|double|triple|times|or|and|plus|minus|of|per|after|before|from|helpful|correct|right|wrong|clear|found|given|in)\b`)

	// spelt finds numbers in words.
	spelt = regexp.MustCompile(`(?i)\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|dozen)\b`)

	// unit is what may stand behind a number in a box, as " cm}^2".
	unit = regexp.MustCompile(`^[\pL\s\x{a0}\x{2009}.,%\p{Sc}°"”」»'’/(){}\[\]²³-]*(?:\^\{?[23]\}?)?[\s.)}\]]*$`)
)

// hashes returns what stands behind "####". A line without a number may be a title: it is unread.
func hashes(text string) (found, unread []candidate) {
	lines := behind(hashed, text)
	for _, line := range lines {
		switch c := line.first(); {
		case heading.MatchString(line.text), len(lines) > 1 && line.isItem():
		case line.hasNumber():
			found = append(found, c)
		default:
			unread = append(unread, c)
		}
	}
	return found, unread
}

// phrases returns what stands behind "answer is". A line without a number, such as "I hope this
// answer is helpful", may not be about the answer: it is unread. "Answer: none" is about it.
func phrases(text string) (found, unread []candidate) {
	for _, line := range behind(phrased, text) {
		switch {
		case negated.MatchString(line.mark):
			unread = append(unread, candidate{words: line.mark + line.text})
		case bracket.MatchString(line.mark) && line.first().value == nil: // "the answer (see above)"
		case line.isItem() && second.MatchString(line.section):
		case line.hasNumber():
			found = append(found, line.answer())
		case explicit.MatchString(line.mark) && !line.isBlank():
			found = append(found, candidate{words: line.text})
		default:
			unread = append(unread, line.first())
		}
	}
	return found, unread
}

// marked is the line of text behind a mark.
type marked struct {
	mark    string
	text    string
	all     []quantity
	section string // all text up to the next mark
}

// behind returns the text after each mark, up to the next one: the rest of its line or, if that
// says nothing, the next line that does.
func behind(mark *regexp.Regexp, text string) (found []marked) {
	marks := append(mark.FindAllStringIndex(text, -1), []int{len(text)})
	for i, at := range marks[:len(marks)-1] {
		m := marked{mark: text[at[0]:at[1]], section: text[at[1]:marks[i+1][0]]}
		element, _, _ := strings.Cut(m.section, "</")
		if !strings.HasPrefix(m.mark, "<") {
			element = m.section
		}
		behind := true // the mark, on its line
		for line := range strings.Lines(element) {
			if !behind {
				line = quoted.ReplaceAllString(line, "")
			}
			behind = false
			if m.text = strings.TrimRight(plain(line), "\r\n"); !m.isBlank() {
				break
			}
		}
		m.all = quantities(m.text)
		found = append(found, m)
	}
	return found
}

// hasNumber reports whether there is a number, in digits or in words.
func (m marked) hasNumber() bool { return len(m.all) > 0 || spelt.MatchString(m.text) }

// isBlank reports whether the line has nothing but decoration. An unknown sign, such as ∞, is an
// answer that herd cannot read.
func (m marked) isBlank() bool {
	line := strings.TrimSpace(m.text)
	if len(line) > 2 && strings.Trim(line, "-—=*_|") == "" { // a rule, as under a title
		return true
	}
	return !strings.ContainsFunc(line, func(r rune) bool {
		return !unicode.IsSpace(r) && !strings.ContainsRune("*_`'\"“”‘’:：$\\[](){}#>=~|.", r)
	})
}

// isItem reports whether the line looks like an item of a numbered list: "Answer: 1. Take 5.".
func (m marked) isItem() bool {
	return len(m.all) > 0 && lead.MatchString(m.text[:m.all[0].start]) && listed.MatchString(m.text[m.all[0].end:])
}

// first returns the number right behind the mark, without a value if there is none.
func (m marked) first() candidate {
	if len(m.all) > 0 && lead.MatchString(m.text[:m.all[0].start]) {
		return m.all[0].candidate(m.text)
	}
	return candidate{words: m.text}
}

// answer returns the number right behind the mark, or the only number of the line if the words
// before it raise no doubt.
func (m marked) answer() candidate {
	c := m.first()
	if c.value == nil && len(m.all) == 1 && !doubtful.MatchString(m.text[:m.all[0].start]) && !spelt.MatchString(m.text) {
		return m.all[0].candidate(m.text)
	}
	return c
}

// boxes returns the content of the last box. It ignores the boxes before.
func boxes(text string) (found, unread []candidate) {
	all := boxed.FindAllStringIndex(text, -1)
	if len(all) == 0 {
		return nil, nil
	}
	last := all[len(all)-1]
	content, closed := braced(text[last[1]:])
	if !closed { // it was cut off, and may lack digits
		return []candidate{{words: text[last[0]:]}}, nil
	}
	line := strings.Trim(plain(content), "*_ \t\n")
	within := quantities(line)
	if len(within) != 1 || !lead.MatchString(line[:within[0].start]) || !unit.MatchString(line[within[0].end:]) {
		return []candidate{{words: content}}, nil
	}
	return []candidate{within[0].candidate(line)}, nil
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
