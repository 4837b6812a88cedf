package engine

import (
	"strings"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// transcript is the text of a completion as it grows. It ends where a stop string
// begins.
type transcript struct {
	decoder *tokenizer.Stream // nil: there is no tokenizer, and no text
	stops   []string
	text    []byte
	told    int // of text
	ended   bool
}

func newTranscript(tok *tokenizer.Tokenizer, r sample.Request) *transcript {
	t := &transcript{stops: r.StopStrings}
	if tok != nil {
		t.decoder = tok.Stream()
		t.decoder.SkipSpecial, t.decoder.Begun = true, r.Continues
	}
	return t
}

// add takes a token in and reports whether a stop string came.
func (t *transcript) add(id token.ID) bool {
	if t.decoder != nil {
		t.grow(t.decoder.Next(id))
	}
	return t.ended
}

// close takes in the bytes of a character that never became whole.
func (t *transcript) close() {
	if t.decoder != nil && !t.ended {
		t.grow(t.decoder.Flush())
	}
	t.ended = true
}

// grow appends text and cuts at the first stop string.
func (t *transcript) grow(text string) {
	from := len(t.text)
	t.text = append(t.text, text...)
	cut := len(t.text)
	for _, stop := range t.stops {
		begin := max(t.told, from-len(stop)+1)
		if i := strings.Index(string(t.text[begin:]), stop); i >= 0 {
			cut, t.ended = min(cut, begin+i), true
		}
	}
	t.text = t.text[:cut]
}

// news returns what was not told yet and is certain.
func (t *transcript) news() string {
	end := len(t.text)
	if !t.ended {
		end -= t.doubtful()
	}
	if end <= t.told {
		return ""
	}
	news := string(t.text[t.told:end])
	t.told = end
	return news
}

// doubtful returns how many bytes at the end may begin a stop string.
func (t *transcript) doubtful() (n int) {
	for _, stop := range t.stops {
		for k := min(len(stop)-1, len(t.text)-t.told); k > n; k-- {
			if strings.HasPrefix(stop, string(t.text[len(t.text)-k:])) {
				n = k
				break
			}
		}
	}
	return n
}

func (t *transcript) String() string { return string(t.text) }
