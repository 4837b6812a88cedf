package serve

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// speller names tokens in log-probabilities.
type speller struct {
	tok   *tokenizer.Tokenizer
	asIDs bool // by id, such as token_id:17
}

// spell returns the text of a token, or its bytes as OpenAI's API writes them if the text
// is not UTF-8. No two tokens have the same name.
func (s speller) spell(id token.ID) string {
	if s.asIDs {
		return fmt.Sprintf("token_id:%d", id)
	}
	text := s.tok.Token(id)
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	b.WriteString("bytes:")
	for i := range len(text) {
		fmt.Fprintf(&b, `\x%02x`, text[i])
	}
	return b.String()
}

// finite returns a number for JSON. A token of probability 0 gets -9999, as in OpenAI's API.
func finite(logProb float64) float64 {
	if math.IsNaN(logProb) {
		return -9999
	}
	return min(max(logProb, -9999), 9999)
}

// alternative is a token in the log-probabilities of a chat.
type alternative struct {
	Token   string  `json:"token"`
	LogProb float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

type chosen struct {
	alternative
	Top []alternative `json:"top_logprobs"`
}

// chatLogProbs is the log-probabilities of a chat.
type chatLogProbs struct {
	Content []chosen `json:"content"`
	Refusal *string  `json:"refusal"`
}

func (s speller) alternative(id token.ID, logProb float64) alternative {
	return alternative{s.spell(id), finite(logProb), bytesOf(s.tok.Token(id))}
}

// bytesOf returns the bytes of a text as numbers.
func bytesOf(text string) []int {
	list := make([]int, len(text))
	for i := range len(text) {
		list[i] = int(text[i])
	}
	return list
}

// chat encodes the tokens of an answer. begun says whether text precedes them, and is set then:
// the tokens spell the content, which lacks the blank that SentencePiece puts in front.
func (s speller) chat(tokens []sample.Token, begun *bool) *chatLogProbs {
	l := &chatLogProbs{Content: make([]chosen, len(tokens))}
	for i, t := range tokens {
		c := chosen{s.alternative(t.ID, t.LogProb), make([]alternative, len(t.Top))}
		if !*begun && !s.tok.IsSpecial(t.ID) {
			*begun = true
			if text := s.tok.Stream().Next(t.ID); !s.asIDs && text != s.tok.Token(t.ID) && utf8.ValidString(s.tok.Token(t.ID)) {
				c.Token, c.Bytes = text, bytesOf(text)
			}
		}
		for j, a := range t.Top {
			c.Top[j] = s.alternative(a.ID, a.LogProb)
		}
		l.Content[i] = c
	}
	return l
}

// textLogProbs is the log-probabilities of a completion.
type textLogProbs struct {
	Tokens   []string             `json:"tokens"`
	LogProbs []*float64           `json:"token_logprobs"` // null for the first token of an echoed prompt
	Top      []map[string]float64 `json:"top_logprobs"`   // null if the client asks for none
	Offsets  []int                `json:"text_offset"`    // number of characters before each token
}

// place is the position in a choice up to which its tokens were encoded.
type place struct {
	decoder    *tokenizer.Stream
	characters int
	continues  bool // the choice continues a text, so that a blank in front belongs to it
}

// text encodes the tokens behind p, and advances p.
func (s speller) text(tokens []sample.Token, top int, p *place) *textLogProbs {
	if p.decoder == nil {
		p.decoder = s.tok.Stream()
		p.decoder.SkipSpecial, p.decoder.Begun = true, p.continues
	}
	l := &textLogProbs{Tokens: []string{}, LogProbs: []*float64{}, Offsets: []int{}}
	for _, t := range tokens {
		l.Tokens = append(l.Tokens, s.spell(t.ID))
		logProb := finite(t.LogProb)
		l.LogProbs = append(l.LogProbs, &logProb)
		l.Offsets = append(l.Offsets, p.characters)
		p.characters += utf8.RuneCountInString(p.decoder.Next(t.ID))
		if top == 0 {
			continue
		}
		most := map[string]float64{s.spell(t.ID): finite(t.LogProb)} // OpenAI's API always includes the drawn token
		for _, a := range t.Top {
			name := s.spell(a.ID)
			if known, ok := most[name]; !ok || known < finite(a.LogProb) { // two tokens may have one name
				most[name] = finite(a.LogProb)
			}
		}
		l.Top = append(l.Top, most)
	}
	return l
}
