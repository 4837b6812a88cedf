package engine

import (
	"strings"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// detokenizer builds the text of a completion token by token. The text ends where a stop
// string begins.
type detokenizer struct {
	decoder *tokenizer.Stream // nil: there is no tokenizer, and no text
	stops   []string
	text    []byte
	sent    int // bytes of text that delta has returned
	stopped bool
}

func newDetokenizer(tok *tokenizer.Tokenizer, r sample.Request) *detokenizer {
	d := &detokenizer{stops: r.StopStrings}
	if tok != nil {
		d.decoder = tok.Stream()
		d.decoder.SkipSpecial, d.decoder.Begun = true, r.Continues
	}
	return d
}

// add appends a token and reports whether its text completed a stop string.
func (d *detokenizer) add(id token.ID) bool {
	if d.decoder != nil {
		d.grow(d.decoder.Next(id))
	}
	return d.stopped
}

// close appends the bytes of a character that never became whole.
func (d *detokenizer) close() {
	if d.decoder != nil && !d.stopped {
		d.grow(d.decoder.Flush())
	}
	d.stopped = true
}

// grow appends text and cuts at the first stop string.
func (d *detokenizer) grow(text string) {
	from := len(d.text)
	d.text = append(d.text, text...)
	cut := len(d.text)
	for _, stop := range d.stops {
		begin := max(d.sent, from-len(stop)+1)
		if i := strings.Index(string(d.text[begin:]), stop); i >= 0 {
			cut, d.stopped = min(cut, begin+i), true
		}
	}
	d.text = d.text[:cut]
}

// delta returns the text since the last call, without what may begin a stop string.
func (d *detokenizer) delta() string {
	end := len(d.text)
	if !d.stopped {
		end -= d.heldBack()
	}
	if end <= d.sent {
		return ""
	}
	delta := string(d.text[d.sent:end])
	d.sent = end
	return delta
}

// heldBack returns how many bytes at the end may begin a stop string.
func (d *detokenizer) heldBack() (n int) {
	for _, stop := range d.stops {
		for k := min(len(stop)-1, len(d.text)-d.sent); k > n; k-- {
			if strings.HasPrefix(stop, string(d.text[len(d.text)-k:])) {
				n = k
				break
			}
		}
	}
	return n
}

func (d *detokenizer) String() string { return string(d.text) }
