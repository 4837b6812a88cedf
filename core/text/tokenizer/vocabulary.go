package tokenizer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/herd-lm/herd/core/token"
)

// Vocabulary holds everything that determines ids. The id of a token is its index in Tokens.
type Vocabulary struct {
	Form    Form // Unicode normalisation
	Pattern Pattern
	Tokens  []string      // raw bytes of each token; the text of added ones
	Merges  [][2]token.ID // pairs of ids in order of priority
	Added   []Added       // tokens that no merge forms

	// SentencePiece is nil for byte-level BPE. Otherwise Tokens are written as in SentencePiece's
	// files: ▁ for a blank, and <0x0A> for a byte.
	SentencePiece *SentencePiece

	// WholePieces encodes a piece that is a token as that token, even if merges give other
	// tokens ("ignore_merges", as in Llama 3).
	WholePieces bool

	// Unknown is the token of byte-level BPE that stands for a byte without a token; "" if there is
	// none. SentencePiece has its own.
	Unknown string

	BOS, EOS string // texts of added tokens, or ""
	NoBOS    bool   // texts do not begin with BOS, although it has a name (SmolLM2)

	// MaxLength is the maximum input of the model in tokens, for other programs
	// ("model_max_length"); 0 for no limit.
	MaxLength int
}

// New returns the tokenizer of a vocabulary, without a chat template. It returns an error if a
// token is empty or a duplicate, if the result of a merge is not a token, or if byte-level BPE
// lacks a byte.
func New(v Vocabulary) (*Tokenizer, error) {
	t := &Tokenizer{vocab: v, cache: newPieceCache(), unknown: None}
	err := v.Form.check()
	if err != nil {
		return nil, err
	}
	if t.added, err = newAddedTokens(v, t.normalise); err != nil {
		return nil, err
	}
	if t.ids, err = indexTokens(v, t.added); err != nil {
		return nil, err
	}
	if err = t.setKind(); err != nil {
		return nil, err
	}
	t.setShown()
	if t.merges, err = newMergeTable(v, t.ids, t.added); err != nil {
		return nil, err
	}
	t.setCuts()
	if t.bos, err = t.named("beginning of text", v.BOS); err != nil {
		return nil, err
	}
	if t.eos, err = t.named("end of text", v.EOS); err != nil {
		return nil, err
	}
	return t, nil
}

// setKind sets the fields that differ between byte-level BPE and SentencePiece.
func (t *Tokenizer) setKind() (err error) {
	s := t.vocab.SentencePiece
	if s == nil {
		if t.split, err = t.vocab.Pattern.splitter(); err != nil {
			return err
		}
		if t.base, err = baseTokens(t.ids); err != nil || t.vocab.Unknown == "" {
			return err
		}
		t.unknown, err = t.unknownToken(t.vocab.Unknown)
		return err
	}
	if len(t.ids) == 0 {
		return fmt.Errorf("the vocabulary has only special tokens")
	}
	t.base = s.byteTokens(t.ids)
	t.unknown, err = t.unknownToken(s.Unknown)
	return err
}

// setCuts sets the splitter of a SentencePiece vocabulary. It splits text at words if these are
// pieces, and wherever else a split changes no id.
func (t *Tokenizer) setCuts() {
	s := t.vocab.SentencePiece
	if s == nil {
		return
	}
	t.split = repeat(whole)
	if s.Words {
		t.split = repeat(splitWords)
	}
	if j := newJoints(t); j != nil && !t.vocab.WholePieces {
		t.split = t.split.then(repeat(j.firstPiece))
	}
}

// setShown sets the bytes that each token decodes to. An added token that matches normalised text
// decodes to its normalised name (as in tokenizers 0.23), which may include a blank.
func (t *Tokenizer) setShown() {
	t.shown = slices.Clone(t.vocab.Tokens)
	if s := t.vocab.SentencePiece; s != nil {
		for id, text := range t.shown {
			t.shown[id] = s.show(text, t.added.has(token.ID(id)))
		}
	}
	for _, a := range t.vocab.Added {
		if a.Normalized {
			t.shown[a.ID] = t.unmark(t.normalise(a.Text))
		}
	}
}

// unknownToken returns the unknown token: an added token, or in some files an ordinary one.
func (t *Tokenizer) unknownToken(text string) (token.ID, error) {
	if id, ok := t.ids[text]; ok {
		return id, nil
	}
	return t.named("the unknown token", text)
}

func (t *Tokenizer) named(what, text string) (token.ID, error) {
	id, ok := t.Special(text)
	if text != "" && !ok {
		return None, fmt.Errorf("%s is %q, which is not an added token", what, text)
	}
	return id, nil
}

// indexTokens returns the tokens that text or merges may give, by their text in the vocabulary. In
// byte-level BPE an added token may have the same bytes as an ordinary one, as runs of blanks do in
// GPT-NeoX. It may not have the same spelling, because files could not distinguish the two. In
// SentencePiece vocabularies merges may also form added tokens, but not special ones.
func indexTokens(v Vocabulary, added addedTokens) (map[string]token.ID, error) {
	ids := make(map[string]token.ID, len(v.Tokens))
	for i, text := range v.Tokens {
		id := token.ID(i)
		if text == "" {
			return nil, fmt.Errorf("token %d is empty", id)
		}
		if special, is := added.special[id]; is && (special || v.SentencePiece == nil) {
			continue
		}
		if a := added.byText[v.spell(text)]; a != nil && a.ID != id {
			return nil, fmt.Errorf("token %d and added token %d are both %q", id, a.ID, text)
		}
		if first, ok := ids[text]; ok {
			return nil, fmt.Errorf("tokens %d and %d are both %q", first, id, text)
		}
		ids[text] = id
	}
	return ids, nil
}

// spelt returns a token of a merge as vocabulary files write it.
func (v *Vocabulary) spelt(id token.ID) string { return v.spell(v.Tokens[id]) }

// spell returns an ordinary token as vocabulary files write it.
func (v *Vocabulary) spell(text string) string {
	if v.SentencePiece != nil {
		return text
	}
	return SpellBytes(text)
}

// baseTokens returns the token of each byte. Some vocabularies lack bytes that never occur in
// UTF-8, and StarCoder's lacks one that hardly ever does. These are None.
func baseTokens(ids map[string]token.ID) (base [256]token.ID, err error) {
	const mayLack = 4
	var lacking []int // bytes of UTF-8 without a token
	plain := false    // whether one of them is a character of ordinary text
	for b := range base {
		id, ok := ids[string([]byte{byte(b)})]
		if base[b] = id; ok {
			continue
		}
		base[b] = None
		if inUTF8(byte(b)) {
			lacking, plain = append(lacking, b), plain || isPlain(byte(b))
		}
	}
	if plain || len(lacking) > mayLack {
		return base, fmt.Errorf("byte 0x%02x has no token: byte-level BPE needs a token for each byte of UTF-8", lacking[0])
	}
	return base, nil
}

// lacksByte reports whether a byte of UTF-8 is no token of its own.
func (v *Vocabulary) lacksByte() bool {
	var have [256]bool
	for _, text := range v.Tokens {
		if len(text) == 1 {
			have[text[0]] = true
		}
	}
	for b := range have {
		if inUTF8(byte(b)) && !have[b] {
			return true
		}
	}
	return false
}

// isPlain reports whether b is a character of ordinary ASCII text.
func isPlain(b byte) bool { return b >= ' ' && b < 0x7f || b == '\t' || b == '\n' || b == '\r' }

func inUTF8(b byte) bool { return b != 0xc0 && b != 0xc1 && b < 0xf5 }

// Digest returns a hexadecimal SHA-256 of everything that determines the ids of a text or chat.
// Tokenizers with the same digest give the same ids.
func (t *Tokenizer) Digest() string {
	h := sha256.New()
	v := &t.vocab
	digestStrings(h, "herd tokenizer 1", v.Pattern.String(), v.BOS, v.EOS, t.template.Source, fmt.Sprint(v.WholePieces))
	digestStrings(h, v.Tokens...)
	binary.Write(h, binary.LittleEndian, v.Merges)
	for _, a := range v.Added {
		digestStrings(h, fmt.Sprint(a.ID, a.Special))
		if a.Normalized || a.SingleWord || a.LStrip || a.RStrip {
			digestStrings(h, fmt.Sprint("flags", a.Normalized, a.SingleWord, a.LStrip, a.RStrip))
		}
	}
	if v.NoBOS && v.BOS != "" {
		digestStrings(h, "no bos")
	}
	if v.Unknown != "" {
		digestStrings(h, "unknown", v.Unknown)
	}
	if source := t.ToolTemplate(); source != "" {
		digestStrings(h, "tool_use", source)
	}
	if t.writesStop() {
		digestStrings(h, "eos_token", t.StopName())
	}
	if v.Form != "" {
		digestStrings(h, "form", string(v.Form))
	}
	if v.SentencePiece != nil {
		digestStrings(h, fmt.Sprintf("%+v", *v.SentencePiece))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digestStrings writes the number of strings, then the length and bytes of each. No two lists write
// the same bytes.
func digestStrings(h hash.Hash, list ...string) {
	binary.Write(h, binary.LittleEndian, uint64(len(list)))
	for _, s := range list {
		binary.Write(h, binary.LittleEndian, uint64(len(s)))
		io.WriteString(h, s)
	}
}
