package rule

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/herd-lm/herd/judge"
)

// pattern judges by a regular expression. It is RE2: its time is linear in the response.
type pattern struct {
	*regexp.Regexp
	texts
	key   string
	whole bool
}

func newRegex(s Settings) (judge.Single, error) {
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

// Verdict looks for any match if the pattern has no group. If it has, group 1 of the last
// match must equal the reference: the last, because a response may correct itself. A pattern
// for the whole response ignores blanks around it.
func (p pattern) Verdict(_ context.Context, q judge.Question, a judge.Answer) (judge.Verdict, error) {
	response := a.Text
	if p.whole {
		response = strings.TrimSpace(response)
	}
	if p.NumSubexp() == 0 {
		return verdict(p.MatchString(response), ""), nil
	}
	reference, err := referenceOf(q, p.key)
	if err != nil {
		return judge.Verdict{}, err
	}
	matches := p.FindAllStringSubmatch(response, -1)
	if len(matches) == 0 {
		return wrong("the pattern does not match"), nil
	}
	caught := matches[len(matches)-1][1]
	return verdict(p.equal(caught, reference), "%s", brief(caught)), nil
}

// Accepts implements judge.Single: a pattern with a group needs a reference.
func (p pattern) Accepts(q judge.Question) error {
	if p.NumSubexp() == 0 {
		return nil
	}
	_, err := referenceOf(q, p.key)
	return err
}
