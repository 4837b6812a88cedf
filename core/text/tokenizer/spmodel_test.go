package tokenizer

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wire writes protobuf messages.
type wire []byte

func (w wire) number(field int, value int64) wire {
	w = binary.AppendUvarint(w, uint64(field)<<3|wireVarint)
	return binary.AppendUvarint(w, uint64(value))
}

func (w wire) float(field int, value float32) wire {
	w = binary.AppendUvarint(w, uint64(field)<<3|wireFixed32)
	return binary.LittleEndian.AppendUint32(w, math.Float32bits(value))
}

func (w wire) bytes(field int, value string) wire {
	w = binary.AppendUvarint(w, uint64(field)<<3|wireBytes)
	return append(binary.AppendUvarint(w, uint64(len(value))), value...)
}

// modelOf returns a SentencePiece tokenizer.model. It appends fields to those of Llama's trainer
// and normalizer.
func modelOf(p Pieces, trainer, normalizer wire) []byte {
	var w wire
	for _, piece := range p.List {
		m := wire{}.bytes(1, piece.Text).float(2, piece.Score)
		if piece.Kind != PieceNormal {
			m = m.number(3, int64(piece.Kind))
		}
		w = w.bytes(1, string(m))
	}
	spec := wire{}.bytes(1, "corpus").number(3, kindBPE).number(40, int64(p.Unknown)).number(41, int64(p.BOS)).number(42, int64(p.EOS)).number(43, -1)
	w = w.bytes(2, string(append(spec, trainer...)))
	return w.bytes(3, string(append(wire{}.bytes(1, "identity").bytes(2, "").number(4, 0), normalizer...)))
}

func writeModel(t *testing.T, data []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, modelFile), data, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadSentencePieceModel(t *testing.T) {
	p := smallPieces()
	got, err := Load(writeModel(t, modelOf(p, nil, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if want := fromPieces(t, p); got.Digest() != want.Digest() || got.BOS() != 1 || got.EOS() != 2 {
		t.Errorf("another tokenizer: %s", cmp.Diff(want.vocab, got.vocab))
	}
	p.AddDummyPrefix, p.EOS = false, None
	if got, err = Load(writeModel(t, modelOf(p, nil, wire{}.number(3, 0)))); err != nil {
		t.Fatal(err)
	}
	if ids := got.Encode("the"); got.Decode(ids) != "the" || got.Token(ids[0]) == " the" {
		t.Errorf("without prefix: %v", ids)
	}
}

func TestLoadSentencePieceModelRefuses(t *testing.T) {
	p := smallPieces()
	good := modelOf(p, nil, nil)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{good[:len(good)/2], "not a SentencePiece model: the data ends within a field"},
		{modelOf(p, wire{}.number(3, 1), nil), "of kind UNIGRAM is not supported"},
		{modelOf(p, wire{}.number(3, 77), nil), "of kind 77"},
		{modelOf(p, wire{}.number(24, 1), nil), "changes blanks"},
		{modelOf(p, wire{}.number(42, 70_000), nil), "EOS is 70000"},
		{modelOf(p, nil, wire{}.bytes(2, "rules")), "normalises text"},
		{modelOf(p, nil, wire{}.number(4, 1)), "changes blanks"},
		{[]byte("\x0a\x00\x07"), "type 7"},
		{[]byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "the data ends within a field of"},
		{[]byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "number is too large"},
	} {
		_, err := Load(writeModel(t, c.data))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), modelFile) {
			t.Errorf("got error %v, want %q and the file", err, c.want)
		}
	}
}

// TestMergesAreHuggingFaces compares the merges that herd derives for Llama 2 with those in Hugging
// Face's file.
func TestMergesAreHuggingFaces(t *testing.T) {
	want := llama2JSON(t)
	got, err := Load(writeModel(t, modelOf(llamaPieces(t), nil, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if len(want.vocab.Merges) != 61249 || !slices.Equal(got.vocab.Merges, want.vocab.Merges) {
		t.Errorf("%d merges are not the %d of tokenizer.json", len(got.vocab.Merges), len(want.vocab.Merges))
	}
}

// For any file, the result is a working tokenizer or an error.
func FuzzLoadModel(f *testing.F) {
	f.Add(modelOf(smallPieces(), nil, nil))
	f.Add([]byte("IQ== 0\nIg== 1\n"))
	f.Add([]byte{1<<3 | wireBytes, 3, 1<<3 | wireBytes, 1, 'a'})
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parseModel(data)
		if err != nil {
			return
		}
		(&config{}).complete(&v)
		tok, err := New(v)
		if err != nil {
			return
		}
		const text = "the herd é " + NameEndOfTurn
		tok.Decode(tok.EncodeWithSpecial(text))
		file, err := encodeJSON(tok.file(), "")
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(file, nil)
		if err != nil {
			t.Fatalf("what it saves does not load: %v", err)
		}
		if got, want := again.EncodeWithSpecial(text), tok.EncodeWithSpecial(text); !slices.Equal(got, want) {
			t.Errorf("what it saves encodes to %v, not %v", got, want)
		}
	})
}
