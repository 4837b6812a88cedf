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
	shown    []string            // the bytes that each token stands for
	ids      map[string]token.ID // tokens that are not added, by their text in the vocabulary
	merges   mergeTable
	base     [256]token.ID // token of each single byte
	added    addedTokens
	bos, eos token.ID
	unknown  token.ID // SentencePiece's, or None
	split    splitter
	cache    *pieceCache
	template Template
}

// Encode returns the ids of text. Special tokens are not recognised in it:
// their names are ordinary text, so that text from outside cannot forge them.
// Added tokens that are not special are (as with encode_special_tokens of
// Hugging Face's tokenizers).
func (t *Tokenizer) Encode(text string) []token.ID {
	return t.appendSections(make([]token.ID, 0, len(text)/4+1), text, ordinary)
}

// EncodeWithSpecial returns the ids of text in which the names of added tokens,
// special ones among them, stand for these tokens. Where several match, the
// longest of the leftmost wins.
func (t *Tokenizer) EncodeWithSpecial(text string) []token.ID {
	return t.appendSections(make([]token.ID, 0, len(text)/4+1), text, anywhere)
}

// Prompt returns the ids that a base model continues text from: the beginning
// of text, where texts begin with such a token, then text.
func (t *Tokenizer) Prompt(text string) []token.ID {
	ids := make([]token.ID, 0, len(text)/4+2)
	if t.bos != None && !t.vocab.NoBOS {
		ids = append(ids, t.bos)
	}
	return t.appendSections(ids, text, ordinary)
}

// ordinary and anywhere say where added tokens stand for themselves: those that are
// not special; all.
func ordinary(_, _ int, a *Added) bool { return !a.Special }
func anywhere(int, int, *Added) bool   { return true }

// appendSections goes the way of Hugging Face's tokenizers: added tokens that
// stand in text as they are, then what lies between them normalised, in it the
// other added tokens, then what lies between these cut into pieces.
func (t *Tokenizer) appendSections(ids []token.ID, text string, allowed func(start, end int, a *Added) bool) []token.ID {
	for raw := range t.added.raw.sections(text, allowed) {
		if raw.added != nil {
			ids = append(ids, raw.added.ID)
			continue
		}
		for s := range t.added.normal.sections(t.normalise(raw.text), allowed) {
			if s.added != nil {
				ids = append(ids, s.added.ID)
			} else {
				ids = t.appendText(ids, t.mark(s.text, raw.start+s.start == 0))
			}
		}
	}
	return ids
}

func (t *Tokenizer) normalise(text string) string {
	text = t.vocab.Form.apply(text)
	if s := t.vocab.SentencePiece; s != nil {
		text = s.normalise(text)
	}
	return text
}

// unmark is what a normalised text shows as.
func (t *Tokenizer) unmark(text string) string {
	if t.vocab.SentencePiece != nil {
		text = strings.ReplaceAll(text, blank, " ")
	}
	return text
}

func (t *Tokenizer) mark(text string, first bool) string {
	if s := t.vocab.SentencePiece; s != nil {
		text = s.mark(text, first)
	}
	return text
}

func (t *Tokenizer) appendText(ids []token.ID, text string) []token.ID {
	for piece := range t.split(text) {
		ids = t.appendPiece(ids, piece)
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
	if t.vocab.SentencePiece != nil {
		ids = t.appendCharacters(ids, piece)
	} else if with, ok := t.appendBytes(ids, piece); ok {
		ids = with
	} else { // bytes that are not UTF-8, and have no tokens
		ids, _ = t.appendBytes(ids, strings.ToValidUTF8(piece, "\uFFFD"))
	}
	return ids[:start+t.merges.apply(ids[start:])]
}

// Decode returns the bytes of ids: what Encode was given, whatever it was, if no
// character is unknown and Unicode is normal. Special tokens appear by name; ids
// outside the vocabulary are left out.
//
// It is what Hugging Face's tokenizers return, but that bytes which are not
// UTF-8 come back as they were, not as U+FFFD.
func (t *Tokenizer) Decode(ids []token.ID) string { return t.decode(ids, false) }

// DecodeSkipSpecial is Decode without the special tokens. (Hugging Face's
// tokenizers 0.23 do show those that are found in normalised text.)
func (t *Tokenizer) DecodeSkipSpecial(ids []token.ID) string { return t.decode(ids, true) }

func (t *Tokenizer) decode(ids []token.ID, skipSpecial bool) string {
	var text strings.Builder
	for _, id := range ids {
		if skipSpecial && t.IsSpecial(id) {
			continue
		}
		text.WriteString(t.show(id))
	}
	return t.strip(text.String())
}

// strip removes the blank in front that SentencePiece put there.
func (t *Tokenizer) strip(text string) string {
	if s := t.vocab.SentencePiece; s != nil && s.Strip {
		text = strings.TrimPrefix(text, " ")
	}
	return text
}

// Token returns the bytes of one token, which need not be whole characters, or
// the name of an added token; "" for an id outside the vocabulary.
func (t *Tokenizer) Token(id token.ID) string {
	if id >= 0 && int(id) < len(t.shown) && t.added.has(id) {
		return t.vocab.Tokens[id]
	}
	return t.show(id)
}

// show returns what decoding writes for id, "" outside the vocabulary.
func (t *Tokenizer) show(id token.ID) string {
	if id < 0 || int(id) >= len(t.shown) {
		return ""
	}
	return t.shown[id]
}

// Vocabulary returns what determines the ids. It must not be changed.
func (t *Tokenizer) Vocabulary() Vocabulary { return t.vocab }

// VocabSize returns the number of tokens, added ones included.
func (t *Tokenizer) VocabSize() int { return len(t.vocab.Tokens) }

// BOS returns the token for the beginning of a text, or None. Prompt knows
// whether texts begin with it.
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
