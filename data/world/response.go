package world

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rates holds the probability of each flaw in a response. Flaws are independent of each other
// and of the prompt.
type Rates struct {
	Wrong    float64 `yaml:"wrong"`    // share of responses with a wrong answer, 0 to 1
	Verbose  float64 `yaml:"verbose"`  // share of responses that say too much, 0 to 1
	Informal float64 `yaml:"informal"` // share of responses in a careless style, 0 to 1
}

// flaws are the flaws of one response.
type flaws struct{ wrong, verbose, informal bool }

func (rates Rates) draw(r *rand.Rand) flaws {
	return flaws{r.Float64() < rates.Wrong, r.Float64() < rates.Verbose, r.Float64() < rates.Informal}
}

// String lists the flaws, or returns "none".
func (f flaws) String() string {
	var named []string
	if f.wrong {
		named = append(named, "wrong")
	}
	if f.verbose {
		named = append(named, "verbose")
	}
	if f.informal {
		named = append(named, "informal")
	}
	if named == nil {
		return "none"
	}
	return strings.Join(named, ",")
}

var openers = []string{
	"Well, that is a good question.", "Thank you for asking me this.",
	"Let me think about it for a moment.", "I am happy to help you with that.",
}

var closers = []string{
	"I hope that helps.", "Let me know if you need more.", "That is what I think.", "Please ask me again.",
}

// respond writes a response to the item, as an annotator with these flaws does.
func (i *Item) respond(r *rand.Rand, f flaws) string {
	answer := i.Answer
	if f.wrong {
		answer = pick(r, i.Wrong)
	}
	text := i.Reply(answer)
	if f.verbose {
		text = pick(r, openers) + " " + text + " " + pick(r, closers)
	}
	if f.informal {
		text = informal(text)
	}
	return text
}

// informal removes the capital and the full stop.
func informal(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(first)) + strings.TrimSuffix(text[size:], ".")
}
