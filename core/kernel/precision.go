package kernel

import "fmt"

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

// UnmarshalText is the reverse of MarshalText.
func (p *Precision) UnmarshalText(text []byte) error {
	for i, name := range precisions {
		if name == string(text) {
			*p = Precision(i)
			return nil
		}
	}
	return fmt.Errorf("precision is %q, expected fp32 or bf16", text)
}
