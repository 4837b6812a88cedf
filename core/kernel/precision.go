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
)

var precisions = []string{"fp32", "bf16"}

func (p Precision) String() string { return precisions[p] }

// MarshalText returns "fp32" or "bf16".
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Auto returns the precision that is faster: BF16 where the processor multiplies
// bfloat16s, else FP32.
func Auto() Precision {
	if gemm.Native(gemm.BF16) {
		return BF16
	}
	return FP32
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
	return fmt.Errorf("precision is %q, expected fp32, bf16 or auto", text)
}
