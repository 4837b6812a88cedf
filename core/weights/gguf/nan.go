package gguf

import (
	"encoding/binary"
	"math"

	"github.com/herd-lm/herd/core/half"
)

// ggml makes every NaN quiet when it narrows one (ggml_compute_fp32_to_fp16 and
// ggml_compute_fp32_to_bf16), package half keeps its bits. A file must be llama-quantize's
// byte for byte, so this package narrows NaNs as ggml does.

func toF16(x float32) uint16 {
	if x != x {
		return uint16(math.Float32bits(x)>>16)&0x8000 | 0x7e00
	}
	return half.ToF16(x)
}

func toBF16(x float32) uint16 {
	if x != x {
		return uint16(math.Float32bits(x)>>16) | 1<<6
	}
	return half.ToBF16(x)
}

func encodeF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], toF16(x))
	}
}

func encodeBF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], toBF16(x))
	}
}
