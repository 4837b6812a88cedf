package tokenizer

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/token"
)

// smallPieces returns a SentencePiece vocabulary with bytes, a user-defined piece and ordered ties:
// scores fall with the id, as SentencePiece's trainer sets them.
func smallPieces() Pieces {
	p := Pieces{Unknown: 0, BOS: 1, EOS: 2, AddDummyPrefix: true, List: []Piece{{"<unk>", 0, PieceUnknown}, {"<s>", 0, PieceControl}, {"</s>", 0, PieceControl}}}
	for b := range 256 {
		p.List = append(p.List, Piece{byteName(byte(b)), 0, PieceByte})
	}
	p.List = append(p.List, Piece{"▁▁<x>", 0, PieceUserDefined})
	for i, text := range strings.Fields("▁▁ he ▁t ▁th aa ab ▁▁▁▁ ▁▁▁ aaa ▁the er ▁herd rd ▁l la ma llama ▁llama é éa ▁ a b d e h l m r t < s > / . ,") {
		p.List = append(p.List, Piece{text, float32(-i), PieceNormal})
	}
	return p
}

// bySentencePiece is SentencePiece's own algorithm (bpe_model.cc). It merges the neighbours that
// form the piece with the best score, the leftmost first among equal ones.
func bySentencePiece(p Pieces, text string) []token.ID {
	ids := map[string]token.ID{}
	for i, piece := range p.List {
		if piece.Kind == PieceNormal {
			ids[piece.Text] = token.ID(i)
		}
	}
	var symbols []string
	for _, r := range blank + strings.ReplaceAll(text, " ", blank) {
		symbols = append(symbols, string(r))
	}
	for {
		best, score := -1, float32(0)
		for i := range len(symbols) - 1 {
			if id, ok := ids[symbols[i]+symbols[i+1]]; ok && (best < 0 || p.List[id].Score > score) {
				best, score = i, p.List[id].Score
			}
		}
		if best < 0 {
			break
		}
		symbols[best] += symbols[best+1]
		symbols = slices.Delete(symbols, best+1, best+2)
	}
	return pieceIDs(p, ids, symbols)
}

// pieceIDs writes symbols that are not pieces as bytes.
func pieceIDs(p Pieces, ids map[string]token.ID, symbols []string) (all []token.ID) {
	for _, s := range symbols {
		if id, ok := ids[s]; ok {
			all = append(all, id)
			continue
		}
		for _, b := range []byte(s) {
			all = append(all, token.ID(slices.IndexFunc(p.List, func(p Piece) bool { return p.Text == byteName(b) })))
		}
	}
	return all
}

func checkPieces(t *testing.T, p Pieces, tok *Tokenizer, text string) {
	t.Helper()
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "  <x>", "x"), "?")
	if text == "" {
		return
	}
	if got, want := tok.Encode(text), bySentencePiece(p, text); !slices.Equal(got, want) {
		t.Errorf("%q: got %v, SentencePiece's way gives %v", text, got, want)
	}
}

func TestFromPiecesIsSentencePiece(t *testing.T) {
	p := smallPieces()
	tok := fromPieces(t, p)
	r := rand.New(rand.NewPCG(21, 22))
	words := []string{" ", "  ", "the", "herd", " llama", "a", "aa", "ab", "é", "<0x0A>", "\n", "</s>", "日", ",", "he", "l", "▁"}
	for range 3000 {
		var text strings.Builder
		for range r.IntN(12) {
			text.WriteString(words[r.IntN(len(words))])
		}
		checkPieces(t, p, tok, text.String())
	}
	planted := smallPieces()
	slices.Reverse(planted.List[len(planted.List)-38:])
	if slices.Equal(bySentencePiece(planted, "the llama herd"), bySentencePiece(p, "the llama herd")) {
		t.Error("the order of pieces makes no difference")
	}
}

func TestLlamaPiecesAreSentencePiece(t *testing.T) {
	p := llamaPieces(t)
	tok := fromPieces(t, p)
	r := rand.New(rand.NewPCG(23, 24))
	for range 300 {
		checkPieces(t, p, tok, randomText(r, r.IntN(60)))
	}
	for _, line := range corpusLines() {
		checkPieces(t, p, tok, line)
	}
	for n := range 70 {
		checkPieces(t, p, tok, strings.Repeat(" ", n)+"a"+strings.Repeat("=", n)+strings.Repeat("a", n))
	}
}

// Scores may change, but not the order of merges.
func TestPiecesRoundTrip(t *testing.T) {
	checkPiecesRoundTrip(t, smallPieces())
	if _, ok := trained(t).Pieces(); ok {
		t.Error("byte-level BPE has pieces")
	}
}

func TestLlamaPiecesRoundTrip(t *testing.T) { checkPiecesRoundTrip(t, llamaPieces(t)) }

func checkPiecesRoundTrip(t *testing.T, p Pieces) {
	t.Helper()
	tok := fromPieces(t, p)
	got, ok := tok.Pieces()
	if !ok {
		t.Fatal("no pieces")
	}
	if again := fromPieces(t, got); !slices.Equal(again.vocab.Merges, tok.vocab.Merges) {
		t.Error("the merges have another order")
	}
	for i := range p.List {
		p.List[i].Score, got.List[i].Score = 0, 0
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("%.2000s", diff)
	}
}

func TestFromPiecesRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*Pieces)
		want   string
	}{
		{func(p *Pieces) { p.List[5].Text = "x" }, `piece 5: "x" is of kind byte`},
		{func(p *Pieces) { p.List[5].Kind = 9 }, "has kind 9"},
		{func(p *Pieces) { p.List[265].Score = float32(math.NaN()) }, "has the score NaN, expected a number"},
		{func(p *Pieces) { p.List[265].Text = strings.Repeat("x", 5000) }, "expected at most 4096"},
		{func(p *Pieces) { p.List[265].Text = p.List[266].Text }, "are both"},
		{func(p *Pieces) { p.List[265].Text = "" }, "token 265 is empty"},
		{func(p *Pieces) { p.List = p.List[:3] }, "the vocabulary has only special tokens"},
		{func(p *Pieces) { p.BOS = 100_000 }, "BOS is 100000, outside the vocabulary"},
		{func(p *Pieces) { p.Unknown = -2 }, "unknown is -2"},
	} {
		p := smallPieces()
		c.change(&p)
		if _, err := FromPieces(p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
	}
}
