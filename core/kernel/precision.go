package kernel

import (
	"fmt"

	"github.com/herd-lm/herd/core/kernel/gemm"
)

// Precision is how matrix products multiply. Everything else is computed in float32, the
// element type of all arrays.
type Precision uint8

const (
	FP32 Precision = iota // float32 throughout
	BF16                  // factors rounded to bfloat16, sums in float32

	// INT8 is for decoding. Weights that are packed once (see Weights) are rounded to int8, with
	// a scale for every 64 depths of a line. The other factor is rounded to bfloat16 if the
	// processor multiplies that. Sums are float32. All other products multiply as FP32.
	INT8
)

var precisions = []string{"fp32", "bf16", "int8"}

func (p Precision) String() string { return precisions[p] }

// MarshalText returns "fp32", "bf16" or "int8".
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Auto returns the faster precision: BF16 if the processor multiplies bfloat16s, else FP32.
func Auto() Precision {
	if gemm.Native() {
		return BF16
	}
	return FP32
}

// ForTraining returns an error if p is for decoding only.
func (p Precision) ForTraining() error {
	if p == INT8 {
		return fmt.Errorf("precision int8 is for decoding, not for training: expected fp32, bf16 or auto")
	}
	return nil
}

// UnmarshalText is the reverse of MarshalText. It also accepts "auto" for Auto().
func (p *Precision) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*p = Auto()
		return nil
	}
	for i, name := range precisions {
		if name == string(text) {
			*p = Precision(i)
			return nil
		}
	}
	return fmt.Errorf("precision is %q, expected fp32, bf16, int8 or auto", text)
}
