package convert

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// draft is a GGUF file before writing.
type draft struct {
	meta  *gguf.Metadata
	infos []gguf.Info
}

// draftOf returns the draft of a small model.
func draftOf(t testing.TB) *draft {
	t.Helper()
	g, err := newGGUFWriter(drawn(t, small()), "gguf-f32")
	if err != nil {
		t.Fatal(err)
	}
	return &draft{&g.meta, g.infos}
}

// write writes the file, with weights of 1 and correct rotary factors.
func (d *draft) write(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "draft.gguf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = gguf.Write(f, d.meta, d.infos, func(i gguf.Info, w io.Writer) error {
		x := slices.Repeat([]float32{1}, i.Len())
		if c := small(); i.Name == ropeFreqs && i.Len() == c.HeadDim/2 {
			x = ropeFactors(c, c.RopeScaling)
		}
		b := make([]byte, i.Bytes())
		i.Type.Encode(b, x)
		_, err := w.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (d *draft) at(name string) *gguf.Info {
	return &d.infos[slices.IndexFunc(d.infos, func(i gguf.Info) bool { return i.Name == name })]
}

func TestGGUFRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*draft){
		`is "falcon"`:                                 func(d *draft) { d.meta.Set(keyArchitecture, "falcon") },
		"general.architecture is of type":             func(d *draft) { d.meta.Set(keyArchitecture, uint32(1)) },
		"llama.block_count is of type string":         func(d *draft) { d.meta.Set("llama.block_count", "two") },
		"1000 layers, but only":                       func(d *draft) { d.meta.Set("llama.block_count", uint32(1000)) },
		"model.layers.2":                              func(d *draft) { d.meta.Set("llama.block_count", uint32(3)) },
		"not part of a model with this configuration": func(d *draft) { d.meta.Set("llama.block_count", uint32(1)) },
		"expert_count is 8":                           func(d *draft) { d.meta.Set("llama.expert_count", uint32(8)) },
		"rope.dimension_count is 4":                   func(d *draft) { d.meta.Set("llama.rope.dimension_count", uint32(4)) },
		`type is "yarn"`:                              func(d *draft) { d.meta.Set("llama.rope.scaling.type", "yarn") },
		"does not scale":                              func(d *draft) { d.meta.Set("llama.rope.freq_base", float32(123)) },
		"configuration implies [320 64]":              func(d *draft) { d.meta.Set("llama.embedding_length", uint32(64)) },
		"blk.0.attn_sinks.weight":                     func(d *draft) { d.at("blk.0.attn_q.weight").Name = "blk.0.attn_sinks.weight" },
		"self_attn.q_proj.bias is not part of a model": func(d *draft) {
			d.infos = append(d.infos, gguf.Info{Name: "blk.0.attn_q.bias", Type: gguf.F32, Shape: []int{64}})
		},
		"no embedding":                   func(d *draft) { d.at("token_embd.weight").Name = "blk.0.attn_q.bias" },
		`tokenizer.ggml.model is "bert"`: func(d *draft) { d.meta.Set(keyTokenizer, "bert") },
		`tokenizer.ggml.pre is "kimi"`:   func(d *draft) { d.meta.Set(keyPre, "kimi") },
		"320 tokens, 1 types":            func(d *draft) { d.meta.Set(keyKinds, []int32{1}) },
		"outside the 320 tokens":         func(d *draft) { d.meta.Set(keyBOS, uint32(320)) },
		`merges[0] is "a"`:               func(d *draft) { d.meta.Set(keyMerges, []string{"a"}) },
		"they do not match": func(d *draft) {
			d.at("token_embd.weight").Shape, d.at("output.weight").Shape = []int{270, 32}, []int{270, 32}
		},
	} {
		d := draftOf(t)
		spoil(d)
		path := d.write(t)
		m, err := Open(path)
		if err == nil {
			t.Errorf("%q: opened", want)
			m.Close()
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with the path and %q", err, want)
		}
	}
	if m, err := Open(draftOf(t).write(t)); err != nil {
		t.Errorf("a file that was not spoilt: %v", err)
	} else {
		m.Close()
	}
}

// TestBOS checks whether a text begins with BOS. A file may leave that to its pre-tokenizer.
func TestBOS(t *testing.T) {
	for _, c := range []struct {
		pre  string
		add  any
		want bool
	}{
		{"llama-bpe", nil, true}, {"smaug-bpe", nil, false},
		{"llama-bpe", false, false}, {"smaug-bpe", true, true},
	} {
		d := draftOf(t)
		meta := &gguf.Metadata{}
		for _, key := range d.meta.Keys() {
			if v, _ := d.meta.Value(key); key != keyAddBOS {
				meta.Set(key, v)
			}
		}
		meta.Set(keyPre, c.pre)
		if c.add != nil {
			meta.Set(keyAddBOS, c.add)
		}
		tok, err := tokenizerFromGGUF(meta)
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Prompt("the")[0] == tok.BOS(); got != c.want || tok.BOS() == tokenizer.None {
			t.Errorf("%s, %s %v: BOS %v, want %v", c.pre, keyAddBOS, c.add, got, c.want)
		}
		again := &gguf.Metadata{}
		if err := tokenizerToGGUF(again, tok, 320); err != nil {
			t.Fatal(err)
		}
		if add, err := gguf.Get[bool](again, keyAddBOS); add != c.want || err != nil {
			t.Errorf("%s, %s %v: written as %v, %v", c.pre, keyAddBOS, c.add, add, err)
		}
	}
}

// TestPiecesRoundTrip writes a vocabulary of SentencePiece and reads it again.
func TestPiecesRoundTrip(t *testing.T) {
	p := tokenizer.Pieces{BOS: 1, EOS: 2, Unknown: 0, AddDummyPrefix: true}
	for i, text := range []string{"<unk>", "<s>", "</s>", "▁", "a", "b", "▁a", "ab", "▁ab", "<|x|>"} {
		kind := tokenizer.PieceNormal
		switch i {
		case 0:
			kind = tokenizer.PieceUnknown
		case 1, 2:
			kind = tokenizer.PieceControl
		case 9:
			kind = tokenizer.PieceUserDefined
		}
		p.List = append(p.List, tokenizer.Piece{Text: text, Score: -float32(i), Kind: kind})
	}
	tok, err := tokenizer.FromPieces(p)
	if err != nil {
		t.Fatal(err)
	}
	meta := &gguf.Metadata{}
	if err := tokenizerToGGUF(meta, tok, 16); err != nil {
		t.Fatal(err)
	}
	if text, _ := gguf.Get[[]string](meta, keyTokens); len(text) != 16 || text[15] != "[PAD15]" {
		t.Errorf("tokens %q, want 16", text)
	}
	again, err := tokenizerFromGGUF(meta)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != tok.Digest() {
		t.Error("another tokenizer")
	}
	if got := again.Prompt("ab a"); !slices.Equal(got, []token.ID{1, 8, 6}) {
		t.Errorf("ab a is %v", got)
	}
	meta.Set(keyAddBOS, false)
	if again, err = tokenizerFromGGUF(meta); err != nil {
		t.Fatal(err)
	}
	if got := again.Prompt("ab a"); !slices.Equal(got, []token.ID{8, 6}) || again.BOS() != 1 {
		t.Errorf("without BOS ab a is %v", got)
	}
}

// FuzzGGUF opens damaged files.
func FuzzGGUF(f *testing.F) {
	whole, err := os.ReadFile(draftOf(f).write(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(50, []byte("x"))
	f.Add(600, []byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, at int, patch []byte) {
		b := slices.Clone(whole)
		if at < 0 || at > len(b) {
			return
		}
		copy(b[at:], patch)
		path := filepath.Join(t.TempDir(), "x.gguf")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		if m, err := Open(path); err == nil {
			if _, err := m.Params(false); err != nil {
				t.Errorf("opened, but then: %v", err)
			}
			m.Close()
		}
	})
}
