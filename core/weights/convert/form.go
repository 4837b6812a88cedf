package convert

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/weights/gguf"
)

// Form is a format that herd writes a model in.
type Form string

// HF is a Hugging Face directory. The other forms are GGUF files; their names give the type of
// the matrices.
const HF Form = "hf"

// mixture lists the types of the matrices of a GGUF file. Norms and biases are always float32.
type mixture struct {
	fileType uint32    // general.file_type (llama_ftype in llama.h)
	matrix   gguf.Type // of all matrices except these:
	output   gguf.Type // of the head, or of an embedding that is also the head
	more     gguf.Type // of the matrices that suffer most from quantisation: v and down in some layers
}

var mixtures = map[Form]mixture{
	"gguf-f32":    {0, gguf.F32, gguf.F32, gguf.F32},
	"gguf-f16":    {1, gguf.F16, gguf.F16, gguf.F16},
	"gguf-bf16":   {32, gguf.BF16, gguf.BF16, gguf.BF16},
	"gguf-q8_0":   {7, gguf.Q8_0, gguf.Q8_0, gguf.Q8_0},
	"gguf-q4_0":   {2, gguf.Q4_0, gguf.Q6_K, gguf.Q4_0},
	"gguf-q4_k_m": {15, gguf.Q4_K, gguf.Q6_K, gguf.Q6_K},
}

// Forms lists all forms.
func Forms() []Form {
	return append([]Form{HF}, slices.Sorted(maps.Keys(mixtures))...)
}

// FormFor returns the default form for a path: GGUF with F16 matrices for a .gguf file, else a
// Hugging Face directory.
func FormFor(path string) Form {
	if strings.EqualFold(filepath.Ext(path), ".gguf") {
		return "gguf-f16"
	}
	return HF
}

// typeFor returns the type of a tensor in a GGUF file, as llama.cpp's quantize chooses it
// (llama-quant.cpp). name is the tensor's name in the GGUF file.
func (x mixture) typeFor(name string, shape []int, layer, layers int, tied bool) gguf.Type {
	switch {
	case len(shape) < 2:
		return gguf.F32
	case name == "output.weight" || tied && name == "token_embd.weight":
		if x.output == gguf.Q6_K && shape[1]%x.matrix.Block() != 0 {
			return fitting(gguf.Q8_0, shape[1])
		}
		return fitting(x.output, shape[1])
	case strings.HasSuffix(name, ".attn_v.weight") || strings.HasSuffix(name, ".ffn_down.weight"):
		if moreBits(layer, layers) {
			return fitting(x.more, shape[1])
		}
	}
	return fitting(x.matrix, shape[1])
}

// moreBits selects the first and the last eighth of the layers, and every third of the others.
func moreBits(layer, layers int) bool {
	return layer < layers/8 || layer >= 7*layers/8 || (layer-layers/8)%3 == 2
}

// fallbacks replace a type when rows are no multiple of its blocks. Only F16 fits any row.
var fallbacks = map[gguf.Type]gguf.Type{gguf.Q4_K: gguf.Q5_0, gguf.Q6_K: gguf.Q8_0, gguf.Q5_0: gguf.F16, gguf.Q8_0: gguf.F16, gguf.Q4_0: gguf.F16}

func fitting(t gguf.Type, row int) gguf.Type {
	for row%t.Block() != 0 {
		t = fallbacks[t]
	}
	return t
}

func (f Form) mixture() (mixture, error) {
	x, ok := mixtures[f]
	if !ok {
		return x, fmt.Errorf("unknown form %q, expected one of %v", f, Forms())
	}
	return x, nil
}
