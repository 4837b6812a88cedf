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

// Vocabulary is what determines ids. A token is its index.
type Vocabulary struct {
	Form    Form // how Unicode is normalised
	Pattern Pattern
	Tokens  []string      // raw bytes of each token; the text of added ones
	Merges  [][2]token.ID // pairs in the order in which they merge
	Added   []Added       // tokens that no merge makes

	// SentencePiece is nil for byte-level BPE. Otherwise Tokens are as in its
	// files, with ▁ for a blank and <0x0A> for a byte.
	SentencePiece *SentencePiece

	// WholePieces says that a piece which is a token as a whole is that token,
	// even if merging would end elsewhere ("ignore_merges", as in Llama 3).
	WholePieces bool

	BOS, EOS string // texts of added tokens, or ""
	NoBOS    bool   // a text does not begin with BOS, which only has a name (SmolLM2)

	// MaxLength is the longest text in tokens that other programs shall feed the
	// model ("model_max_length"), 0 for no limit.
	MaxLength int
}

// New returns the tokenizer of a vocabulary, without a chat template. It refuses
// a vocabulary of byte-level BPE that lacks a byte, and any that has a token
// twice or a merge whose result is no token.
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

// setKind sets what differs between byte-level BPE and SentencePiece.
func (t *Tokenizer) setKind() (err error) {
	s := t.vocab.SentencePiece
	if s == nil {
		if t.split, err = t.vocab.Pattern.splitter(); err != nil {
			return err
		}
		t.base, err = baseTokens(t.ids)
		return err
	}
	if len(t.ids) == 0 {
		return fmt.Errorf("the vocabulary has nothing but special tokens")
	}
	t.base = s.byteTokens(t.ids)
	t.unknown, err = t.unknownToken(s.Unknown)
	return err
}

// setCuts sets where the text of a SentencePiece vocabulary is cut: at words if
// these are pieces, and anywhere else where that changes nothing.
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

// setShown sets what decoding writes for each token. An added token that is found
// in normalised text stands for that (as in tokenizers 0.23): it may have taken
// a blank along.
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

// unknownToken is an added token, or in some files an ordinary one.
func (t *Tokenizer) unknownToken(text string) (token.ID, error) {
	if id, ok := t.ids[text]; ok {
		return id, nil
	}
	return t.named("the unknown token", text)
}

func (t *Tokenizer) named(what, text string) (token.ID, error) {
	id, ok := t.Special(text)
	if text != "" && !ok {
		return None, fmt.Errorf("%s is %q, which is not among the added tokens", what, text)
	}
	return id, nil
}

// indexTokens returns the tokens that text or merges may give, by their text in
// the vocabulary. An added token may have the bytes of an ordinary one of
// byte-level BPE, as runs of blanks have in GPT-NeoX, but not its spelling: files
// could not tell the two apart. In SentencePiece's vocabularies merges may make
// added tokens too, but no special ones.
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

// spelt returns a token of a merge as vocabulary files have it.
func (v *Vocabulary) spelt(id token.ID) string { return v.spell(v.Tokens[id]) }

// spell writes an ordinary token as vocabulary files have it.
func (v *Vocabulary) spell(text string) string {
	if v.SentencePiece != nil {
		return text
	}
	return SpellBytes(text)
}

// baseTokens returns the token of each byte. Some vocabularies lack bytes that no
// UTF-8 has: these are None.
func baseTokens(ids map[string]token.ID) (base [256]token.ID, err error) {
	for b := range base {
		id, ok := ids[string([]byte{byte(b)})]
		if !ok && inUTF8(byte(b)) {
			return base, fmt.Errorf("byte 0x%02x has no token: byte-level BPE needs all that UTF-8 has", b)
		}
		if base[b] = id; !ok {
			base[b] = None
		}
	}
	return base, nil
}

func inUTF8(b byte) bool { return b != 0xc0 && b != 0xc1 && b < 0xf5 }

// Digest returns a hash in hexadecimal of all that determines the ids of a text
// or chat: two tokenizers that agree in it encode alike.
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
	if v.Form != "" {
		digestStrings(h, "form", string(v.Form))
	}
	if v.SentencePiece != nil {
		digestStrings(h, fmt.Sprintf("%+v", *v.SentencePiece))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digestStrings writes the count and then each string behind its length, so
// that no two lists write the same bytes.
func digestStrings(h hash.Hash, list ...string) {
	binary.Write(h, binary.LittleEndian, uint64(len(list)))
	for _, s := range list {
		binary.Write(h, binary.LittleEndian, uint64(len(s)))
		io.WriteString(h, s)
	}
}
