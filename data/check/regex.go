package check

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// pattern judges by a regular expression (RE2: time is linear in the response).
type pattern struct {
	*regexp.Regexp
	texts
	key   string
	whole bool
}

func newRegex(s Settings) (Checker, error) {
	text := s.Pattern
	if s.Whole {
		text = `\A(?:` + text + `)\z`
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", s.Pattern, err)
	}
	return pattern{re, textsOf(s), s.answerKey(), s.Whole}, nil
}

// Check looks for any match of a pattern without groups. With one, the last match
// counts, as with answers that are corrected on the way, and what group 1
// caught in it must equal the reference. Blanks around a whole response do not count.
func (p pattern) Check(_ context.Context, q Question, response string) (Outcome, error) {
	if p.whole {
		response = strings.TrimSpace(response)
	}
	if p.NumSubexp() == 0 {
		return judged(p.MatchString(response), ""), nil
	}
	reference, err := q.reference(p.key)
	if err != nil {
		return Outcome{}, err
	}
	matches := p.FindAllStringSubmatch(response, -1)
	if len(matches) == 0 {
		return wrong("the pattern does not match"), nil
	}
	caught := matches[len(matches)-1][1]
	return judged(p.equal(caught, reference), "%s", brief(caught)), nil
}
