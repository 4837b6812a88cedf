package check

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Verdict says what a response is worth. Every part is decidable without a judge.
type Verdict struct {
	Correct    bool // the trimmed response equals an accepted one, byte by byte
	Contains   bool // the short answer appears as whole words, whatever the case
	WellFormed bool // begins with a capital and ends with a full stop
	Concise    bool // has at most max_words words
}

// Response judges a response to a prompt by the prompt's Meta: "answer" (the
// short answer), "accept" (accepted responses, one per line) and "max_words". A
// part whose column is missing or unreadable is false.
func Response(meta map[string]string, response string) Verdict {
	text := strings.TrimSpace(response)
	most, err := strconv.Atoi(meta["max_words"])
	return Verdict{
		Correct:    text != "" && accepted(meta["accept"], text),
		Contains:   ContainsWord(text, meta["answer"]),
		WellFormed: wellFormed(text),
		Concise:    err == nil && text != "" && len(strings.Fields(text)) <= most,
	}
}

// Grade orders responses, from 0 to 5: a right answer outweighs everything,
// then form and brevity count one each.
func (v Verdict) Grade() int {
	grade := 0
	if v.Contains {
		grade = 3
	}
	if v.WellFormed {
		grade++
	}
	if v.Concise {
		grade++
	}
	return grade
}

func accepted(accept, text string) bool {
	for line := range strings.Lines(accept) {
		if strings.TrimSuffix(line, "\n") == text {
			return true
		}
	}
	return false
}

func wellFormed(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.IsUpper(first) && strings.HasSuffix(text, ".")
}

// ContainsWord reports whether word, which may be several words, occurs in
// text with no letter or digit on either side. Case does not matter.
func ContainsWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	if word == "" {
		return false
	}
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		start, end := from+at, from+at+len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !inWord(before) && !inWord(after) {
			return true
		}
		_, step := utf8.DecodeRuneInString(text[start:])
		from = start + step
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
