package tokenizer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// Piece is a token of a SentencePiece vocabulary (sentencepiece_model.proto).
type Piece struct {
	Text  string // with ▁ for a blank; a byte is written like <0x0A>
	Score float32
	Kind  PieceKind
}

// PieceKind is the type of a piece, with SentencePiece's numbers.
type PieceKind int32

const (
	PieceNormal      PieceKind = 1
	PieceUnknown     PieceKind = 2 // represents characters without a token
	PieceControl     PieceKind = 3 // never results from text, such as <s>
	PieceUserDefined PieceKind = 4 // always matches its text, as added tokens do
	PieceUnused      PieceKind = 5 // never results from text
	PieceByte        PieceKind = 6 // a byte of a character without a token
)

// Pieces is a SentencePiece vocabulary of kind BPE. A piece's id is its index. BOS, EOS and Unknown
// are None if there is no such piece.
type Pieces struct {
	List              []Piece
	BOS, EOS, Unknown token.ID
	AddDummyPrefix    bool // put a blank before a text
}

// longestPiece is the maximum length of a piece in bytes. The time to find the merges of a piece
// grows with the square of its length.
const longestPiece = 4096

// FromPieces returns the tokenizer of a SentencePiece vocabulary of kind BPE.
//
// SentencePiece merges the two neighbours that form the piece with the best score. FromPieces
// derives merges from the scores as Hugging Face's converter does (convert_slow_tokenizer.py):
// every split of a normal piece into two normal pieces is a merge, ordered by score.
func FromPieces(p Pieces) (*Tokenizer, error) {
	v, err := p.vocabulary()
	if err != nil {
		return nil, err
	}
	return New(v)
}

func (p Pieces) vocabulary() (Vocabulary, error) {
	v := Vocabulary{SentencePiece: &SentencePiece{Strip: p.AddDummyPrefix, FuseUnknown: true}}
	if !p.AddDummyPrefix {
		v.SentencePiece.Blanks = BlanksKept
	}
	for i, piece := range p.List {
		if err := piece.addTo(&v, token.ID(i)); err != nil {
			return v, fmt.Errorf("piece %d: %w", i, err)
		}
	}
	var err error
	for _, named := range []struct {
		what string
		id   token.ID
		text *string
	}{{"BOS", p.BOS, &v.BOS}, {"EOS", p.EOS, &v.EOS}, {"unknown", p.Unknown, &v.SentencePiece.Unknown}} {
		if *named.text, err = v.special(named.what, named.id); err != nil {
			return v, err
		}
	}
	v.Merges = p.merges()
	return v, nil
}

// addTo appends the piece to v. It adds an added token if no merge may form the piece.
func (p Piece) addTo(v *Vocabulary, id token.ID) error {
	text := p.Text
	switch p.Kind {
	case PieceNormal, PieceUnused:
	case PieceByte:
		if _, ok := byteOf(text); !ok {
			return fmt.Errorf("%q is of kind byte, expected a text from <0x00> to <0xFF>", text)
		}
		v.SentencePiece.ByteFallback = true
	case PieceUserDefined:
		text = strings.ReplaceAll(text, blank, " ")
		v.Added = append(v.Added, Added{ID: id, Text: text})
	case PieceControl, PieceUnknown:
		v.Added = append(v.Added, Added{ID: id, Text: text, Special: true})
	default:
		return fmt.Errorf("%q has kind %d, expected 1 to 6", text, p.Kind)
	}
	if len(text) > longestPiece {
		return fmt.Errorf("%.40q... has %d bytes, expected at most %d", text, len(text), longestPiece)
	}
	if score := float64(p.Score); math.IsNaN(score) {
		return fmt.Errorf("%q has the score NaN, expected a number", text)
	}
	v.Tokens = append(v.Tokens, text)
	return nil
}

// special returns the text of the token id, or "" for None. It makes the token an added one if it
// is not.
func (v *Vocabulary) special(what string, id token.ID) (string, error) {
	if id == None {
		return "", nil
	}
	if id < 0 || int(id) >= len(v.Tokens) {
		return "", fmt.Errorf("%s is %d, outside the vocabulary of %d", what, id, len(v.Tokens))
	}
	text := v.Tokens[id]
	if !slices.ContainsFunc(v.Added, func(a Added) bool { return a.ID == id }) {
		v.Added = append(v.Added, Added{ID: id, Text: text, Special: true})
	}
	return text, nil
}

// merges returns the merges of the normal pieces in order: the best score first, and for one piece
// the lowest ids first.
func (p Pieces) merges() (merges [][2]token.ID) {
	ids := make(map[string]token.ID, len(p.List))
	var order []Piece
	for i, piece := range p.List {
		id := token.ID(i)
		if piece.Kind == PieceNormal && id != p.BOS && id != p.EOS && id != p.Unknown {
			ids[piece.Text] = id
			order = append(order, piece)
		}
	}
	slices.SortStableFunc(order, func(a, b Piece) int { return cmp.Compare(b.Score, a.Score) })
	for _, piece := range order {
		merges = append(merges, splits(piece.Text, ids)...)
	}
	return merges
}

// splits returns all pairs of tokens that join to text, the lowest ids first.
func splits(text string, ids map[string]token.ID) (all [][2]token.ID) {
	for i := 1; i < len(text); i++ {
		left, ok := ids[text[:i]]
		if !ok {
			continue
		}
		if right, ok := ids[text[i:]]; ok {
			all = append(all, [2]token.ID{left, right})
		}
	}
	slices.SortFunc(all, func(a, b [2]token.ID) int { return slices.Compare(a[:], b[:]) })
	return all
}

// Pieces returns the vocabulary in SentencePiece's form, or false for byte-level BPE. The scores
// follow the order of the merges. They may differ from the original scores, but give the same
// ids.
func (t *Tokenizer) Pieces() (Pieces, bool) {
	s := t.vocab.SentencePiece
	if s == nil {
		return Pieces{}, false
	}
	p := Pieces{List: make([]Piece, len(t.vocab.Tokens)), BOS: t.bos, EOS: t.eos, Unknown: t.unknown, AddDummyPrefix: s.Blanks.prefixed()}
	for i, text := range t.vocab.Tokens {
		p.List[i] = Piece{Text: text, Kind: t.kind(token.ID(i))}
		if p.List[i].Kind == PieceUserDefined {
			p.List[i].Text = strings.ReplaceAll(text, " ", blank)
		}
	}
	t.score(p.List)
	return p, true
}

func (t *Tokenizer) kind(id token.ID) PieceKind {
	special, added := t.added.special[id]
	_, isByte := byteOf(t.vocab.Tokens[id])
	switch {
	case id == t.unknown:
		return PieceUnknown
	case special:
		return PieceControl
	case added:
		return PieceUserDefined
	case isByte && t.vocab.SentencePiece.ByteFallback:
		return PieceByte
	}
	return PieceNormal
}

// score sets the scores of the normal pieces to 0, -1, -2, ... in the order in which merges first
// form them. Pieces that no merge forms come last.
func (t *Tokenizer) score(list []Piece) {
	next, done := 0, make([]bool, len(list))
	number := func(id token.ID) {
		if !done[id] && list[id].Kind == PieceNormal {
			list[id].Score, done[id] = float32(-next), true
			next++
		}
	}
	for _, m := range t.vocab.Merges {
		number(t.merges[pairOf(m[0], m[1])].into)
	}
	for id := range list {
		number(token.ID(id))
	}
}

// byteName returns the piece of a byte, like <0x0A>.
func byteName(b byte) string { return fmt.Sprintf("<0x%02X>", b) }

// byteOf returns the byte of a piece like <0x0A>.
func byteOf(text string) (byte, bool) {
	const digits = "0123456789ABCDEF"
	if len(text) != len("<0x0A>") || !strings.HasPrefix(text, "<0x") || text[5] != '>' {
		return 0, false
	}
	high, low := strings.IndexByte(digits, text[3]), strings.IndexByte(digits, text[4])
	if high < 0 || low < 0 {
		return 0, false
	}
	return byte(high<<4 | low), true
}
