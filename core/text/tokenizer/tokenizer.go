package tokenizer

import (
	"encoding/json"
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

// Tokenizer is a vocabulary with its merges, pattern and chat template. It is immutable and safe
// for concurrent use.
type Tokenizer struct {
	vocab    Vocabulary
	shown    []string            // the bytes that each token decodes to
	ids      map[string]token.ID // tokens that are not added, by their text in the vocabulary
	merges   mergeTable
	base     [256]token.ID // token of each single byte
	added    addedTokens
	bos, eos token.ID
	unknown  token.ID // SentencePiece's, or None
	split    splitter
	cache    *pieceCache
	template Template
	stop     string                     // eos_token of tokenizer_config.json, or ""
	carried  map[string]json.RawMessage // fields of tokenizer_config.json, for Save
}

// Encode returns the ids of text. It treats the names of special tokens as ordinary text, so that
// untrusted text cannot forge them. It does recognise other added tokens, as Hugging Face's
// tokenizers do with encode_special_tokens.
func (t *Tokenizer) Encode(text string) []token.ID {
	return t.appendSections(make([]token.ID, 0, len(text)/4+1), text, ordinary)
}

// EncodeWithSpecial returns the ids of text. It recognises the names of all added tokens, including
// special ones. If several match, it takes the leftmost, and of these the longest.
func (t *Tokenizer) EncodeWithSpecial(text string) []token.ID {
	return t.appendSections(make([]token.ID, 0, len(text)/4+1), text, anywhere)
}

// Prompt returns the ids from which a base model continues text: the beginning-of-text token, if
// texts of the vocabulary begin with it, then those of text.
func (t *Tokenizer) Prompt(text string) []token.ID {
	ids := make([]token.ID, 0, len(text)/4+2)
	if t.bos != None && !t.vocab.NoBOS {
		ids = append(ids, t.bos)
	}
	return t.appendSections(ids, text, ordinary)
}

// ordinary and anywhere select the added tokens to recognise: those that are not special, or all.
func ordinary(_, _ int, a *Added) bool { return !a.Special }
func anywhere(int, int, *Added) bool   { return true }

// appendSections follows Hugging Face's tokenizers: it finds the added tokens that match raw text,
// normalises the text between them, finds the other added tokens there, and splits the rest into
// pieces.
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

// unmark returns a normalised text with blanks in place of ▁.
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

// appendMerged computes and appends the ids of piece, without the cache.
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
	} else { // bytes that are not UTF-8 and have no tokens
		ids = t.appendKnown(ids, strings.ToValidUTF8(piece, "\uFFFD"))
	}
	return ids[:start+t.merges.apply(ids[start:])]
}

// Decode returns the bytes of ids. It reverses Encode for any bytes, unless a character is unknown
// or normalisation changed the text. It writes special tokens by name and omits ids outside the
// vocabulary.
//
// The result equals that of Hugging Face's tokenizers, except that Decode returns bytes that are
// not UTF-8 unchanged instead of U+FFFD.
func (t *Tokenizer) Decode(ids []token.ID) string { return t.decode(ids, false) }

// DecodeSkipSpecial is Decode without the special tokens. (Hugging Face's tokenizers 0.23 do write
// those that match normalised text.)
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

// strip removes the blank that SentencePiece put in front.
func (t *Tokenizer) strip(text string) string {
	if s := t.vocab.SentencePiece; s != nil && s.Strip {
		text = strings.TrimPrefix(text, " ")
	}
	return text
}

// Token returns the bytes of one token, which may be part of a character, or the name of an added
// token. It returns "" for an id outside the vocabulary.
func (t *Tokenizer) Token(id token.ID) string {
	if id >= 0 && int(id) < len(t.shown) && t.added.has(id) {
		return t.vocab.Tokens[id]
	}
	return t.show(id)
}

// show returns the bytes that id decodes to, or "" for an id outside the vocabulary.
func (t *Tokenizer) show(id token.ID) string {
	if id < 0 || int(id) >= len(t.shown) {
		return ""
	}
	return t.shown[id]
}

// Vocabulary returns the vocabulary. Callers must not change it.
func (t *Tokenizer) Vocabulary() Vocabulary { return t.vocab }

// VocabSize returns the number of tokens, added ones included.
func (t *Tokenizer) VocabSize() int { return len(t.vocab.Tokens) }

// BOS returns the token for the beginning of a text, or None. Prompt adds it if texts begin with
// it.
func (t *Tokenizer) BOS() token.ID { return t.bos }

// EOS returns the token that ends a document, or None.
func (t *Tokenizer) EOS() token.ID { return t.eos }

// EOT returns the token that ends a turn of a chat, <|eot_id|>, or None.
func (t *Tokenizer) EOT() token.ID {
	id, _ := t.Special(NameEndOfTurn)
	return id
}

// Special returns the added token with the name, or None and false.
func (t *Tokenizer) Special(name string) (token.ID, bool) {
	if a, ok := t.added.byText[name]; ok {
		return a.ID, true
	}
	return None, false
}

// IsSpecial reports whether id is a special token, which DecodeSkipSpecial omits.
func (t *Tokenizer) IsSpecial(id token.ID) bool { return t.added.special[id] }

// Template returns the chat template.
func (t *Tokenizer) Template() Template { return t.template }

// WithTemplate returns a copy of t with another chat template.
func (t *Tokenizer) WithTemplate(template Template) *Tokenizer {
	with := *t
	with.template = template
	return &with
}
