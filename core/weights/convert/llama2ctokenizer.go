package convert

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/herd-lm/herd/core/text/tokenizer"
)

// The first pieces of llama2.c's vocabularies, as in SentencePiece.
const (
	pieceUnknown = iota
	pieceBOS
	pieceEOS
	firstByte
	firstNormal = firstByte + 256
)

// parseLlama2CTokenizer reads a tokenizer.bin of llama2.c (tokenizer.py): the length of the
// longest piece, then for each piece its score, its length and its bytes, with spaces for ▁ and
// newlines around the names of BOS and EOS.
func parseLlama2CTokenizer(b []byte) (*tokenizer.Tokenizer, error) {
	r := bytes.NewReader(b)
	var longest uint32
	if err := binary.Read(r, binary.LittleEndian, &longest); err != nil {
		return nil, errors.New("not a tokenizer of llama2.c: it is too short")
	}
	p := tokenizer.Pieces{BOS: pieceBOS, EOS: pieceEOS, Unknown: pieceUnknown, AddDummyPrefix: true}
	for id := 0; r.Len() > 0; id++ {
		var head struct {
			Score  float32
			Length uint32
		}
		err := binary.Read(r, binary.LittleEndian, &head)
		if err != nil || head.Length > longest || int64(head.Length) > int64(r.Len()) || math.IsNaN(float64(head.Score)) {
			return nil, fmt.Errorf("not a tokenizer of llama2.c, or damaged: piece %d of %d bytes, with %d left", id, head.Length, r.Len())
		}
		text := make([]byte, head.Length)
		if _, err := r.Read(text); err != nil && head.Length > 0 {
			return nil, err
		}
		p.List = append(p.List, llama2cPiece(id, string(text), head.Score))
	}
	if len(p.List) < firstNormal {
		return nil, fmt.Errorf("%d pieces, expected <unk>, BOS, EOS, 256 bytes and more", len(p.List))
	}
	return tokenizer.FromPieces(p)
}

func llama2cPiece(id int, text string, score float32) tokenizer.Piece {
	switch {
	case id == pieceUnknown:
		return tokenizer.Piece{Text: text, Score: score, Kind: tokenizer.PieceUnknown}
	case id < firstByte:
		return tokenizer.Piece{Text: strings.TrimSpace(text), Score: score, Kind: tokenizer.PieceControl}
	case id < firstNormal:
		return tokenizer.Piece{Text: text, Score: score, Kind: tokenizer.PieceByte}
	}
	return tokenizer.Piece{Text: strings.ReplaceAll(text, " ", "▁"), Score: score, Kind: tokenizer.PieceNormal}
}
