package tokenizer

import (
	"fmt"

	"github.com/herd-lm/herd/core/token"
)

// sentencePieceModel holds the fields that herd needs from SentencePiece's tokenizer.model
// (ModelProto of sentencepiece_model.proto).
type sentencePieceModel struct {
	Pieces
	kind                 int32 // trainer_spec.model_type
	blankBehind          bool  // trainer_spec.treat_whitespace_as_suffix
	rules                int   // length of normalizer_spec.precompiled_charsmap
	joinsBlanks, escapes bool  // normalizer_spec.remove_extra_whitespaces, escape_whitespaces
}

// kindBPE is TrainerSpec.ModelType.BPE. The default is 1, UNIGRAM.
const kindBPE = 2

// parseSentencePiece reads SentencePiece's tokenizer.model. It refuses all kinds except BPE, and
// rules that change text.
func parseSentencePiece(data []byte) (Vocabulary, error) {
	m := sentencePieceModel{Pieces: Pieces{Unknown: 0, BOS: 1, EOS: 2, AddDummyPrefix: true}, kind: 1, joinsBlanks: true, escapes: true}
	err := message(data).fields(func(f field) error {
		switch f.number {
		case 1:
			return m.readPiece(f)
		case 2:
			return message(f.bytes).fields(m.readTrainer)
		case 3:
			return message(f.bytes).fields(m.readNormalizer)
		}
		return nil
	})
	if err != nil {
		return Vocabulary{}, fmt.Errorf("not a SentencePiece model: %w", err)
	}
	if err := m.check(); err != nil {
		return Vocabulary{}, err
	}
	return m.Pieces.vocabulary()
}

func (m *sentencePieceModel) readPiece(f field) error {
	p := Piece{Kind: PieceNormal}
	err := message(f.bytes).fields(func(f field) error {
		switch f.number {
		case 1:
			p.Text = string(f.bytes)
		case 2:
			p.Score = f.float()
		case 3:
			p.Kind = PieceKind(f.int())
		}
		return nil
	})
	m.List = append(m.List, p)
	return err
}

func (m *sentencePieceModel) readTrainer(f field) error {
	switch f.number {
	case 3:
		m.kind = f.int()
	case 24:
		m.blankBehind = f.value != 0
	case 40:
		m.Unknown = token.ID(f.int())
	case 41:
		m.BOS = token.ID(f.int())
	case 42:
		m.EOS = token.ID(f.int())
	}
	return nil
}

func (m *sentencePieceModel) readNormalizer(f field) error {
	switch f.number {
	case 2:
		m.rules = len(f.bytes)
	case 3:
		m.AddDummyPrefix = f.value != 0
	case 4:
		m.joinsBlanks = f.value != 0
	case 5:
		m.escapes = f.value != 0
	}
	return nil
}

func (m *sentencePieceModel) check() error {
	kinds := []string{"UNIGRAM", "BPE", "WORD", "CHAR"}
	switch {
	case len(m.List) == 0:
		return fmt.Errorf("the SentencePiece model has no pieces")
	case m.kind < 1 || int(m.kind) > len(kinds):
		return fmt.Errorf("the SentencePiece model is of kind %d, expected BPE (%d)", m.kind, kindBPE)
	case m.kind != kindBPE:
		return fmt.Errorf("a SentencePiece model of kind %s is not supported: expected BPE", kinds[m.kind-1])
	case m.rules > 0:
		return fmt.Errorf("a SentencePiece model that normalises text is not supported: expected normalizer_spec identity")
	case m.joinsBlanks || !m.escapes || m.blankBehind:
		return fmt.Errorf("a SentencePiece model that changes blanks is not supported: expected remove_extra_whitespaces and treat_whitespace_as_suffix off, escape_whitespaces on")
	}
	for _, id := range []*token.ID{&m.Unknown, &m.BOS, &m.EOS} {
		*id = max(*id, None)
	}
	return nil
}
