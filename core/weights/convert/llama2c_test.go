package convert

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
)

// tinyLlama2C returns a configuration that llama2.c's format supports.
func tinyLlama2C(tied bool) model.Config {
	c := small()
	c.HeadDim, c.RopeScaling, c.RopeTheta, c.MaxPositions, c.TiedHead = 8, nil, 10000, 64, tied
	bos := 1
	c.BOS, c.EOS = &bos, model.IntSet{2, 1}
	return c
}

// llama2cFile writes a model as export.py does (legacy_export, version1_export).
func llama2cFile(p *model.Params, version int) []byte {
	c := p.Config
	b := file{}
	if version == 1 {
		b = b.u32(llama2cMark, 1)
	}
	vocabulary := int32(c.VocabSize)
	if version == 0 && !c.TiedHead {
		vocabulary = -vocabulary
	}
	b = b.u32(uint32(c.HiddenSize), uint32(c.IntermediateSize), uint32(c.Layers), uint32(c.Heads), uint32(c.KVHeads), uint32(vocabulary), uint32(c.MaxPositions))
	if version == 1 {
		b = append(b, map[bool]byte{true: 1}[c.TiedHead])
		b = append(b, make([]byte, 256-len(b))...)
	}
	all := func(part string) {
		for i := range c.Layers {
			b = b.tensor(p, fmt.Sprintf("model.layers.%d.%s.weight", i, part))
		}
	}
	attention := []string{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"}
	if version == 1 {
		all("input_layernorm")
		all("post_attention_layernorm")
		b = b.tensor(p, "model.norm.weight").tensor(p, "model.embed_tokens.weight")
	} else {
		b = b.tensor(p, "model.embed_tokens.weight")
		all("input_layernorm")
	}
	for _, part := range attention {
		all(part)
	}
	if version == 0 {
		all("post_attention_layernorm")
	}
	for _, part := range []string{"mlp.gate_proj", "mlp.down_proj", "mlp.up_proj"} {
		all(part)
	}
	if version == 0 {
		b = b.tensor(p, "model.norm.weight")
		b = append(b, make([]byte, 4*c.MaxPositions*c.HeadDim)...)
	}
	if !c.TiedHead {
		b = b.tensor(p, "lm_head.weight")
	}
	return b
}

// file builds a file.
type file []byte

func (f file) u32(x ...uint32) file {
	for _, v := range x {
		f = binary.LittleEndian.AppendUint32(f, v)
	}
	return f
}

// tensor appends a tensor with q and k in the original order of rows.
func (f file) tensor(p *model.Params, name string) file {
	i := slices.IndexFunc(p.Tensors, func(t *model.Param) bool { return t.Name == name })
	x := slices.Clone(p.Tensors[i].W)
	if isRotated(name) {
		interleave(x, p.Config.HeadDim, p.Config.HiddenSize)
	}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, x)
	return append(f, b.Bytes()...)
}

// TestLlama2C reads both versions of the format. (TestStories reads a real file.)
func TestLlama2C(t *testing.T) {
	for _, tied := range []bool{false, true} {
		for version := range 2 {
			p := drawn(t, tinyLlama2C(tied)).Weights.(held).Params
			path := filepath.Join(t.TempDir(), "model.bin")
			if err := os.WriteFile(path, llama2cFile(p, version), 0o666); err != nil {
				t.Fatal(err)
			}
			m, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if m.Kind != Llama2C || m.Name != "model" || m.Config.TiedHead != tied {
				t.Errorf("opened as %+v", m)
			}
			if !slices.Equal(weights(t, m), p.W) {
				t.Errorf("version %d, tied %v: other weights", version, tied)
			}
		}
	}
}

func TestLlama2CRefuses(t *testing.T) {
	whole := llama2cFile(drawn(t, tinyLlama2C(true)).Weights.(held).Params, 0)
	patched := func(at int, x uint32) []byte {
		b := slices.Clone(whole)
		binary.LittleEndian.PutUint32(b[at:], x)
		return b
	}
	huge := slices.Concat(file{}.u32(1<<16, 1<<22, 1<<10, 1, 1, 1<<24, 1<<26), make([]byte, 300))
	for want, b := range map[string][]byte{
		"too short":              whole[:100],
		"truncated":              whole[:len(whole)-4],
		"implies a file of":      patched(8, 3),
		"num_attention_heads":    patched(12, 0),
		"num_hidden_layers is -": patched(8, 1<<31),
		"head_dim is 0":          patched(12, 5),
		"version 2":              file{}.u32(llama2cMark, 2, 0, 0, 0, 0, 0, 0, 0, 0)[:40:40],
		"it has 328":             huge,
	} {
		if want == "version 2" {
			b = append(b, make([]byte, 256)...)
		}
		if _, err := parseLlama2C(b[:min(len(b), llama2cHeader)], int64(len(b))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func FuzzLlama2C(f *testing.F) {
	f.Add(llama2cFile(drawn(f, tinyLlama2C(true)).Weights.(held).Params, 0)[:300], int64(300))
	f.Fuzz(func(t *testing.T, head []byte, size int64) {
		l, err := parseLlama2C(head[:min(len(head), llama2cHeader)], size)
		if err != nil {
			return
		}
		for name, p := range l.places {
			if p.at < 0 || p.n <= 0 || p.at+4*int64(p.n) > size {
				t.Errorf("%s is at byte %d, %d elements, of a file of %d", name, p.at, p.n, size)
			}
		}
	})
}

// FuzzLlama2CTokenizer reads random bytes as a vocabulary.
func FuzzLlama2CTokenizer(f *testing.F) {
	b := file{}.u32(8)
	for id := range 262 {
		text := fmt.Sprintf("<0x%02X>", id-3)
		if id < 3 || id > 258 {
			text = fmt.Sprintf(" %d", id)
		}
		b = append(b.u32(0, uint32(len(text))), text...)
	}
	f.Add([]byte(b))
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := parseLlama2CTokenizer(b)
		if err != nil {
			return
		}
		for _, id := range tok.Prompt("a b") {
			if int(id) >= tok.VocabSize() {
				t.Errorf("token %d of %d", id, tok.VocabSize())
			}
		}
	})
}
