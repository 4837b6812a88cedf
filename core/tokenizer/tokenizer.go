// Package tokenizer turns text into token ids and back, and trains vocabularies.
//
// It is byte-level byte-pair encoding (BPE) as in GPT-2 and Llama 3: any bytes
// can be encoded, and decode to exactly themselves. Files are Hugging Face's
// tokenizer.json and tokenizer_config.json.
package tokenizer

import (
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// None is the id of a token that a vocabulary does not have.
const None token.ID = -1

// Names of Llama 3's special tokens.
const (
	NameBeginOfText = "<|begin_of_text|>"
	NameEndOfText   = "<|end_of_text|>"
	NameStartHeader = "<|start_header_id|>"
	NameEndHeader   = "<|end_header_id|>"
	NameEndOfTurn   = "<|eot_id|>"
)

// Tokenizer is a vocabulary with its merges, pattern and chat template. It does
// not change once made, and is safe for concurrent use.
type Tokenizer struct {
	vocab    Vocabulary
	ids      map[string]token.ID // ordinary tokens by their bytes
	merges   mergeTable
	base     [256]token.ID // token of each single byte
	added    addedTokens
	bos, eos token.ID
	split    func(string) int
	cache    *pieceCache
	template Template
}

// Encode returns the ids of text. Special tokens are not recognised in it:
// their names are ordinary text, so that text from outside cannot forge them.
func (t *Tokenizer) Encode(text string) []token.ID {
	return t.appendText(make([]token.ID, 0, len(text)/4+1), text)
}

// EncodeWithSpecial returns the ids of text in which the names of added tokens,
// special ones among them, stand for these tokens. Where several match, the
// longest of the leftmost wins.
func (t *Tokenizer) EncodeWithSpecial(text string) []token.ID {
	ids := make([]token.ID, 0, len(text)/4+1)
	for {
		start, found := t.added.find(text, func(int, *Added) bool { return true })
		if found == nil {
			return t.appendText(ids, text)
		}
		ids = append(t.appendText(ids, text[:start]), found.ID)
		text = text[start+len(found.Text):]
	}
}

// Prompt returns the ids that a base model continues text from: the beginning
// of text, where the vocabulary has such a token, then text.
func (t *Tokenizer) Prompt(text string) []token.ID {
	ids := make([]token.ID, 0, len(text)/4+2)
	if t.bos != None {
		ids = append(ids, t.bos)
	}
	return t.appendText(ids, text)
}

func (t *Tokenizer) appendText(ids []token.ID, text string) []token.ID {
	for len(text) > 0 {
		n := t.split(text)
		ids = t.appendPiece(ids, text[:n])
		text = text[n:]
	}
	return ids
}

func (t *Tokenizer) appendPiece(ids []token.ID, piece string) []token.ID {
	slot := t.cache.slot(piece)
	if known, ok := slot.get(piece); ok {
		return append(ids, known...)
	}
	start := len(ids)
	ids = t.appendMerged(ids, piece)
	slot.put(piece, ids[start:])
	return ids
}

// appendMerged appends the ids of piece, computed.
func (t *Tokenizer) appendMerged(ids []token.ID, piece string) []token.ID {
	if t.vocab.WholePieces {
		if id, ok := t.ids[piece]; ok {
			return append(ids, id)
		}
	}
	start := len(ids)
	for i := range len(piece) {
		ids = append(ids, t.base[piece[i]])
	}
	return ids[:start+t.merges.apply(ids[start:])]
}

// Decode returns the bytes of ids: what Encode was given, whatever it was.
// Special tokens appear by name; ids outside the vocabulary are left out.
func (t *Tokenizer) Decode(ids []token.ID) string { return t.decode(ids, false) }

// DecodeSkipSpecial is Decode without the special tokens.
func (t *Tokenizer) DecodeSkipSpecial(ids []token.ID) string { return t.decode(ids, true) }

func (t *Tokenizer) decode(ids []token.ID, skipSpecial bool) string {
	var text strings.Builder
	for _, id := range ids {
		if skipSpecial && t.IsSpecial(id) {
			continue
		}
		text.WriteString(t.Token(id))
	}
	return text.String()
}

// Token returns the bytes of one token, which need not be whole characters, or
// the name of an added token; "" for an id outside the vocabulary.
func (t *Tokenizer) Token(id token.ID) string {
	if id < 0 || int(id) >= len(t.vocab.Tokens) {
		return ""
	}
	return t.vocab.Tokens[id]
}

// VocabSize returns the number of tokens, added ones included.
func (t *Tokenizer) VocabSize() int { return len(t.vocab.Tokens) }

// BOS returns the token that begins a text, or None.
func (t *Tokenizer) BOS() token.ID { return t.bos }

// EOS returns the token that ends a document, or None.
func (t *Tokenizer) EOS() token.ID { return t.eos }

// EOT returns the token that ends a turn of a chat, <|eot_id|>, or None.
func (t *Tokenizer) EOT() token.ID {
	id, _ := t.Special(NameEndOfTurn)
	return id
}

// Special returns the added token of that name, and whether there is one.
func (t *Tokenizer) Special(name string) (token.ID, bool) {
	if a, ok := t.added.byText[name]; ok {
		return a.ID, true
	}
	return None, false
}

// IsSpecial reports whether DecodeSkipSpecial leaves id out.
func (t *Tokenizer) IsSpecial(id token.ID) bool { return t.added.special[id] }

// Template returns the chat template.
func (t *Tokenizer) Template() Template { return t.template }

// WithTemplate returns a tokenizer that differs from t in the chat template.
func (t *Tokenizer) WithTemplate(template Template) *Tokenizer {
	with := *t
	with.template = template
	return &with
}
