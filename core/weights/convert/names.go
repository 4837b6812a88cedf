package convert

import (
	"fmt"
	"strconv"
	"strings"
)

// ggufNames are llama.cpp's names for the parts of a Llama (llama-arch.cpp), by Hugging Face's.
// The names of layers follow their prefixes.
var ggufNames = map[string]string{
	"model.embed_tokens": "token_embd",
	"model.norm":         "output_norm",
	"lm_head":            "output",

	"input_layernorm":          "attn_norm",
	"self_attn.q_proj":         "attn_q",
	"self_attn.k_proj":         "attn_k",
	"self_attn.v_proj":         "attn_v",
	"self_attn.o_proj":         "attn_output",
	"post_attention_layernorm": "ffn_norm",
	"mlp.gate_proj":            "ffn_gate",
	"mlp.up_proj":              "ffn_up",
	"mlp.down_proj":            "ffn_down",
}

const (
	layerPrefix     = "model.layers."
	ggufLayerPrefix = "blk."
)

// toGGUF returns llama.cpp's name of a tensor: model.layers.0.mlp.up_proj.weight is
// blk.0.ffn_up.weight. A tensor that llama.cpp does not know is an error.
func toGGUF(name string) (string, error) {
	layer, part, kind := cutName(name, layerPrefix)
	g, ok := ggufNames[part]
	switch {
	case !ok:
		return "", fmt.Errorf("tensor %s cannot be stored in a GGUF file", name)
	case layer == "":
		return g + "." + kind, nil
	}
	return ggufLayerPrefix + layer + "." + g + "." + kind, nil
}

// fromGGUF is the inverse of toGGUF.
func fromGGUF(name string) (string, error) {
	layer, part, kind := cutName(name, ggufLayerPrefix)
	for hf, g := range ggufNames {
		switch {
		case g != part:
		case layer == "":
			return hf + "." + kind, nil
		default:
			return layerPrefix + layer + "." + hf + "." + kind, nil
		}
	}
	return "", fmt.Errorf("tensor %s is not part of a Llama model", name)
}

// cutName splits a name into the number of the layer ("" outside of layers), the part of the
// model, and weight or bias.
func cutName(name, prefix string) (layer, part, kind string) {
	end := max(0, strings.LastIndexByte(name, '.'))
	part, kind = name[:end], strings.TrimPrefix(name[end:], ".")
	if rest, ok := strings.CutPrefix(part, prefix); ok {
		if layer, part, ok := strings.Cut(rest, "."); ok && isNumber(layer) {
			return layer, part, kind
		}
	}
	return "", part, kind
}

// layerOf returns the layer of a tensor in a GGUF file, -1 for none.
func layerOf(name string) int {
	layer, _, _ := cutName(name, ggufLayerPrefix)
	n, err := strconv.Atoi(layer)
	if err != nil {
		return -1
	}
	return n
}

func isNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && strconv.Itoa(n) == s
}
