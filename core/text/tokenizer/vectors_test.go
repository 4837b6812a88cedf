package tokenizer

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/internal/realdata"
)

// sharedText reads a file of the optional data beside the repository.
func sharedText(t testing.TB, name string) (string, bool) {
	text, err := os.ReadFile(realdata.Beside(t, name))
	if os.IsNotExist(err) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text), true
}

// vectors returns texts and their ids in llama.cpp's tests.
func vectors(t *testing.T, name string) (texts, ids []string) {
	t.Helper()
	in := shared(t, "tokenizer/vectors/ggml-vocab-"+name+".gguf.inp")
	out := shared(t, "tokenizer/vectors/ggml-vocab-"+name+".gguf.out")
	texts = strings.Split(in, "\n__ggml_vocab_test__\n")
	ids = strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(ids) < 40 || len(texts) < len(ids) {
		t.Fatalf("%s: %d texts and %d lines of ids", name, len(texts), len(ids))
	}
	return texts[:len(ids)], ids
}

// shared reads a file of ../shared/data, or skips the test.
func shared(t testing.TB, name string) string {
	t.Helper()
	text, ok := sharedText(t, "data/"+name)
	if !ok {
		t.Skipf("no ../shared/data/%s beside the repository", name)
	}
	return text
}

// TestVectors compares the ids of vocabularies with those of llama.cpp.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(testing.TB) *Tokenizer
	}{{"gpt-2", gpt2}, {"llama-spm", llamaSPM}, {"llama-spm", llama2JSON}} {
		t.Run(c.name, func(t *testing.T) {
			texts, ids := vectors(t, c.name)
			tok := c.open(t)
			for i, want := range ids {
				if got := fmt.Sprint(tok.Encode(texts[i])); got != "["+strings.TrimSpace(want)+"]" {
					t.Errorf("%q: got %s, want %s", texts[i], got, want)
				}
			}
		})
	}
}

func gpt2(t testing.TB) *Tokenizer {
	g := readGGUF(t, shared(t, "tokenizer/ggml-vocab-gpt-2.gguf"))
	v := Vocabulary{Pattern: GPT2}
	ids := map[string]token.ID{}
	for i, spelt := range g.strings["tokenizer.ggml.tokens"] {
		raw, err := UnspellBytes(spelt)
		if err != nil {
			t.Fatal(err)
		}
		ids[spelt] = token.ID(i)
		v.Tokens = append(v.Tokens, raw)
	}
	for _, m := range g.strings["tokenizer.ggml.merges"] {
		left, right, _ := strings.Cut(m, " ")
		v.Merges = append(v.Merges, [2]token.ID{ids[left], ids[right]})
	}
	v.Added = []Added{{ID: ids["<|endoftext|>"], Text: "<|endoftext|>", Special: true}}
	return mustNew(t, v)
}

func mustNew(t testing.TB, v Vocabulary) *Tokenizer {
	t.Helper()
	tok, err := New(v)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// llamaPieces returns the vocabulary of Llama 2.
func llamaPieces(t testing.TB) Pieces {
	g := readGGUF(t, shared(t, "tokenizer/ggml-vocab-llama-spm.gguf"))
	p := Pieces{Unknown: 0, BOS: 1, EOS: 2, AddDummyPrefix: true}
	for i, text := range g.strings["tokenizer.ggml.tokens"] {
		kind, score := g.words["tokenizer.ggml.token_type"][i], g.words["tokenizer.ggml.scores"][i]
		p.List = append(p.List, Piece{text, math.Float32frombits(score), PieceKind(kind)})
	}
	return p
}

func llamaSPM(t testing.TB) *Tokenizer { return fromPieces(t, llamaPieces(t)) }

func fromPieces(t testing.TB, p Pieces) *Tokenizer {
	t.Helper()
	tok, err := FromPieces(p)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// gguf reads the part of a GGUF file that a vocabulary needs: metadata that are lists of strings or
// of 32-bit numbers.
type gguf struct {
	strings map[string][]string
	words   map[string][]uint32
	t       testing.TB
	rest    string
}

func readGGUF(t testing.TB, text string) *gguf {
	const stringType, listType = 8, 9
	sizes := map[uint32]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
	g := &gguf{map[string][]string{}, map[string][]uint32{}, t, text}
	g.take(4 + 4 + 8) // magic, version, number of tensors
	for range g.uint64() {
		key, kind, count := g.string(), g.uint32(), uint64(1)
		if kind == listType {
			kind, count = g.uint32(), g.uint64()
		}
		for range count {
			switch {
			case kind == stringType:
				g.strings[key] = append(g.strings[key], g.string())
			case sizes[kind] == 4:
				g.words[key] = append(g.words[key], g.uint32())
			default:
				g.take(sizes[kind])
			}
		}
	}
	return g
}

func (g *gguf) take(n uint64) string {
	if n > uint64(len(g.rest)) {
		g.t.Fatal("the GGUF file ends early")
	}
	taken := g.rest[:n]
	g.rest = g.rest[n:]
	return taken
}

func (g *gguf) uint32() uint32 { return binary.LittleEndian.Uint32([]byte(g.take(4))) }
func (g *gguf) uint64() uint64 { return binary.LittleEndian.Uint64([]byte(g.take(8))) }
func (g *gguf) string() string { return g.take(g.uint64()) }
