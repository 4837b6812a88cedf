package convert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/herd-lm/herd/core/model"
)

// A file of llama2.c (github.com/karpathy/llama2.c, export.py) is a header and float32 tensors.
// The older version has a header of seven numbers and no mark. Version 1 begins with "ak42" as a
// number and pads its header.
const (
	llama2cHeader    = 256
	llama2cOldHeader = 28
	llama2cMark      = 0x616b3432
)

// rotaryTables are the cosines and sines in files of the older version.
const rotaryTables = ""

// llama2cOrder is the order of a file's parts. A part of layers comes for all layers before the
// next part.
var llama2cOrder = map[int][]string{
	0: {"model.embed_tokens", "input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
		"post_attention_layernorm", "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj", "model.norm", rotaryTables, "lm_head"},
	1: {"input_layernorm", "post_attention_layernorm", "model.norm", "model.embed_tokens", "self_attn.q_proj", "self_attn.k_proj",
		"self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj", "lm_head"},
}

// llama2c is an open file of llama2.c.
type llama2c struct {
	config  model.Config
	version int
	path    string
	file    *os.File
	places  map[string]place
}

// place is the offset and the number of elements of a tensor.
type place struct {
	at int64
	n  int
}

func openLlama2C(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	l, err := newLlama2C(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("model: %s: %w", path, err), f.Close())
	}
	l.path = path
	return &Model{Config: l.config, Weights: l}, nil
}

func newLlama2C(f *os.File) (*llama2c, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	head, err := readHead(f.Name(), llama2cHeader)
	if err != nil {
		return nil, err
	}
	l, err := parseLlama2C(head, info.Size())
	if l != nil {
		l.file = f
	}
	return l, err
}

// parseLlama2C reads the header of a file and checks that the size of the file agrees.
func parseLlama2C(head []byte, size int64) (*llama2c, error) {
	if len(head) < llama2cHeader {
		return nil, fmt.Errorf("%d bytes are too short for a llama2.c file", len(head))
	}
	l := &llama2c{}
	numbers, tied := head, false
	if binary.LittleEndian.Uint32(head) == llama2cMark {
		if v := binary.LittleEndian.Uint32(head[4:]); v != 1 {
			return nil, fmt.Errorf("version %d of llama2.c's format: herd reads only 0 and 1, which are not quantised", v)
		}
		l.version, numbers, tied = 1, head[8:], head[8+llama2cOldHeader] != 0
	}
	number := func(i int) int { return int(int32(binary.LittleEndian.Uint32(numbers[4*i:]))) }
	vocabulary := number(5)
	if l.version == 0 { // a positive number: the head is the embedding
		vocabulary, tied = max(vocabulary, -vocabulary), vocabulary > 0
	}
	l.config = llama2cConfig(number, vocabulary, tied)
	if err := l.config.Validate(); err != nil {
		return nil, err
	}
	return l, l.lay(size)
}

// llama2cConfig returns the configuration of a header. llama2.c's training ends a text with BOS,
// which begins the next one. Meta's models have EOS.
func llama2cConfig(number func(int) int, vocabulary int, tied bool) model.Config {
	bos := 1
	c := model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu", InitRange: 0.02,
		HiddenSize: number(0), IntermediateSize: number(1), Layers: number(2), Heads: number(3), KVHeads: number(4),
		VocabSize: vocabulary, MaxPositions: number(6), TiedHead: tied, NormEps: 1e-5, RopeTheta: 10000,
		BOS: &bos, EOS: model.IntSet{2, bos},
	}
	if c.Heads > 0 && c.HiddenSize%c.Heads == 0 {
		c.HeadDim = c.HiddenSize / c.Heads
	}
	return c
}

// lay computes the places of the tensors and checks that they fill a file of the given size.
func (l *llama2c) lay(size int64) error {
	if err := l.checkSize(size); err != nil {
		return err
	}
	lengths := map[string]int{}
	for _, t := range l.config.Tensors() {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		lengths[t.Name] = n
	}
	l.places = make(map[string]place, len(lengths))
	at := l.header()
	put := func(name string) {
		if n, ok := lengths[name]; ok { // a tied head is not in the file
			l.places[name] = place{at, n}
			at += 4 * int64(n)
		}
	}
	for _, part := range llama2cOrder[l.version] {
		put(part + ".weight")
		if part == rotaryTables {
			at += 4 * int64(l.tables())
		}
		if _, layered := lengths[layerPrefix+"0."+part+".weight"]; !layered {
			continue
		}
		for i := range l.config.Layers {
			put(fmt.Sprintf("%s%d.%s.weight", layerPrefix, i, part))
		}
	}
	return nil
}

func (l *llama2c) header() int64 {
	if l.version == 0 {
		return llama2cOldHeader
	}
	return llama2cHeader
}

// tables returns the number of elements of the rotary tables.
func (l *llama2c) tables() int {
	if l.version > 0 {
		return 0
	}
	return l.config.MaxPositions * l.config.HeadDim
}

// checkSize checks that the numbers of the header make a file of the given size, before herd
// allocates anything by them.
func (l *llama2c) checkSize(size int64) error {
	one, two := l.config, l.config
	one.Layers, two.Layers = 1, 2
	layer := float64(two.ParamCount() - one.ParamCount())
	want := float64(l.header()) + 4*(float64(one.ParamCount())+layer*float64(l.config.Layers-1)+float64(l.tables()))
	if want != float64(size) {
		return fmt.Errorf("its header implies a file of %.0f bytes, but it has %d: it is truncated, or not a llama2.c file", want, size)
	}
	return nil
}

func (l *llama2c) Tensors() []Tensor {
	var all []Tensor
	for _, t := range l.config.Tensors() {
		all = append(all, Tensor{t.Name, t.Shape, "F32"})
	}
	return all
}

// Read reorders the rows of q and k from the original layout to Hugging Face's.
func (l *llama2c) Read(name string, dst []float32) error {
	p, ok := l.places[name]
	if !ok || p.n != len(dst) {
		return fmt.Errorf("%s: no tensor %s of %d elements", l.path, name, len(dst))
	}
	buf := make([]byte, min(4*p.n, 256<<10))
	for rest, at := dst, p.at; len(rest) > 0; {
		n := min(len(rest), len(buf)/4)
		if _, err := l.file.ReadAt(buf[:4*n], at); err != nil {
			return fmt.Errorf("%s: tensor %s: %w", l.path, name, err)
		}
		for i := range n {
			rest[i] = math.Float32frombits(binary.LittleEndian.Uint32(buf[4*i:]))
		}
		rest, at = rest[n:], at+int64(4*n)
	}
	if isRotated(name) {
		deinterleave(dst, l.config.HeadDim, l.config.HiddenSize)
	}
	return nil
}

func (l *llama2c) Close() error { return l.file.Close() }
