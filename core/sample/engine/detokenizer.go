package engine

import (
	"strings"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// detokenizer builds the text of a completion token by token. The text ends where a stop
// string begins. Stop strings may name special tokens, which the text leaves out: they are
// searched in what was drawn with these names.
type detokenizer struct {
	tok     *tokenizer.Tokenizer
	decoder *tokenizer.Stream // nil: there is no tokenizer, and no text
	stops   []string
	text    []byte
	drawn   []byte // text with the names of special tokens; empty without stop strings
	before  []int  // for each byte of drawn, the bytes of text before it
	sent    int    // bytes of text that delta has returned
	stopped bool
}

func newDetokenizer(tok *tokenizer.Tokenizer, r sample.Request) *detokenizer {
	d := &detokenizer{tok: tok, stops: r.StopStrings}
	if tok != nil {
		d.decoder = tok.Stream()
		d.decoder.SkipSpecial, d.decoder.Begun = true, r.Continues
	}
	return d
}

// add appends a token and reports whether its text completed a stop string.
func (d *detokenizer) add(id token.ID) bool {
	if d.decoder == nil {
		return d.stopped
	}
	text := d.decoder.Next(id)
	if d.tok.IsSpecial(id) {
		d.search(d.tok.Token(id), false)
	}
	d.grow(text)
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
	if d.stopped {
		return
	}
	d.text = append(d.text, text...)
	d.search(text, true)
}

// search appends to what was drawn, and cuts the text where the first stop string begins that
// ends in it. visible says whether the text has what is appended.
func (d *detokenizer) search(appended string, visible bool) {
	if len(d.stops) == 0 {
		return
	}
	from, base := len(d.drawn), len(d.text)
	if visible {
		base -= len(appended)
	}
	for i := range len(appended) {
		d.drawn = append(d.drawn, appended[i])
		if visible {
			d.before = append(d.before, base+i)
		} else {
			d.before = append(d.before, base)
		}
	}
	cut := len(d.text)
	for _, stop := range d.stops {
		begin := max(0, from-len(stop)+1)
		if i := strings.Index(string(d.drawn[begin:]), stop); i >= 0 {
			cut, d.stopped = min(cut, d.before[begin+i]), true
		}
	}
	d.text = d.text[:cut]
}

// delta returns the text since the last call, without what may begin a stop string.
func (d *detokenizer) delta() string {
	end := len(d.text)
	if !d.stopped {
		end = d.certain()
	}
	if end <= d.sent {
		return ""
	}
	delta := string(d.text[d.sent:end])
	d.sent = end
	return delta
}

// certain returns how many bytes of the text cannot be the beginning of a stop string.
func (d *detokenizer) certain() int {
	n := 0
	for _, stop := range d.stops {
		for k := min(len(stop)-1, len(d.drawn)); k > n; k-- {
			if strings.HasPrefix(stop, string(d.drawn[len(d.drawn)-k:])) {
				n = k
				break
			}
		}
	}
	if n == 0 {
		return len(d.text)
	}
	return d.before[len(d.drawn)-n]
}

func (d *detokenizer) String() string { return string(d.text) }
