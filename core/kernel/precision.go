package kernel

import (
	"fmt"

	"github.com/herd-lm/herd/core/kernel/gemm"
)

// Precision is how matrix products multiply; everything else is computed in
// float32, which is also what all arrays hold.
type Precision uint8

const (
	FP32 Precision = iota // float32 throughout
	BF16                  // factors rounded to bfloat16, sums in float32

	// INT8 is for decoding: weights that are packed once (see Weights) are rounded to
	// int8, a scale for every 64 depths of a line. What they are multiplied with is
	// rounded to bfloat16 where the processor multiplies that, and sums are float32.
	// Everything else multiplies as FP32.
	INT8
)

var precisions = []string{"fp32", "bf16", "int8"}

func (p Precision) String() string { return precisions[p] }

// MarshalText returns "fp32", "bf16" or "int8".
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Auto returns the precision that is faster: BF16 where the processor multiplies
// bfloat16s, else FP32.
func Auto() Precision {
	if gemm.Native() {
		return BF16
	}
	return FP32
}

// ForTraining reports that p is for decoding only.
func (p Precision) ForTraining() error {
	if p == INT8 {
		return fmt.Errorf("precision int8 is for decoding, not for training: expected fp32, bf16 or auto")
	}
	return nil
}

// UnmarshalText is the reverse of MarshalText; "auto" stands for Auto().
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
