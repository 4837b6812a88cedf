package tokenizer

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// sharedText reads a file of the data that may lie beside the repository.
func sharedText(t testing.TB, name string) (string, bool) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", name))
	if os.IsNotExist(err) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text), true
}

// TestGPT2Vectors holds the pattern and vocabulary of GPT-2 against the ids
// that llama.cpp's tests have for it.
func TestGPT2Vectors(t *testing.T) {
	const dir = "data/tokenizer/"
	gguf, ok1 := sharedText(t, dir+"ggml-vocab-gpt-2.gguf")
	texts, ok2 := sharedText(t, dir+"vectors/ggml-vocab-gpt-2.gguf.inp")
	ids, ok3 := sharedText(t, dir+"vectors/ggml-vocab-gpt-2.gguf.out")
	if !ok1 || !ok2 || !ok3 {
		t.Skip("no ../shared/data/tokenizer beside the repository")
	}
	tok, err := New(gpt2Vocabulary(t, gguf))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(ids, "\n"), "\n")
	inputs := strings.Split(texts, "\n__ggml_vocab_test__\n")
	if len(want) < 40 || len(inputs) < len(want) {
		t.Fatalf("%d texts and %d lines of ids", len(inputs), len(want))
	}
	for i, line := range want {
		if got := fmt.Sprint(tok.Encode(inputs[i])); got != "["+strings.TrimSpace(line)+"]" {
			t.Errorf("%q: got %s, want %s", inputs[i], got, line)
		}
	}
}

func gpt2Vocabulary(t *testing.T, gguf string) Vocabulary {
	lists := ggufStrings(t, gguf)
	v := Vocabulary{Pattern: GPT2}
	ids := map[string]token.ID{}
	for i, spelt := range lists["tokenizer.ggml.tokens"] {
		raw, err := unspell(spelt)
		if err != nil {
			t.Fatal(err)
		}
		ids[spelt] = token.ID(i)
		v.Tokens = append(v.Tokens, raw)
	}
	for _, m := range lists["tokenizer.ggml.merges"] {
		left, right, _ := strings.Cut(m, " ")
		v.Merges = append(v.Merges, [2]token.ID{ids[left], ids[right]})
	}
	v.Added = []Added{{ID: ids["<|endoftext|>"], Text: "<|endoftext|>", Special: true}}
	return v
}

// ggufReader reads the little of GGUF that a vocabulary needs.
type ggufReader struct {
	t    *testing.T
	rest string
}

func (r *ggufReader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.t.Fatal("the GGUF file ends early")
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *ggufReader) uint32() uint32 { return binary.LittleEndian.Uint32([]byte(r.take(4))) }
func (r *ggufReader) uint64() uint64 { return binary.LittleEndian.Uint64([]byte(r.take(8))) }
func (r *ggufReader) string() string { return r.take(r.uint64()) }

// ggufStrings returns the metadata of a GGUF file that are lists of strings.
func ggufStrings(t *testing.T, gguf string) map[string][]string {
	const stringType, listType = 8, 9
	sizes := map[uint32]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
	lists := map[string][]string{}
	r := &ggufReader{t, gguf}
	r.take(4 + 4 + 8) // magic, version, number of tensors
	for range r.uint64() {
		key, kind, count := r.string(), r.uint32(), uint64(1)
		if kind == listType {
			kind, count = r.uint32(), r.uint64()
		}
		if kind != stringType {
			r.take(sizes[kind] * count)
			continue
		}
		for range count {
			lists[key] = append(lists[key], r.string())
		}
	}
	return lists
}
