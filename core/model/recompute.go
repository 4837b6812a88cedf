package model

import (
	"fmt"
	"slices"
)

// Recompute says which activations the gradient computes again instead of keeping them: less
// memory for more work (arXiv 1604.06174). The results are the same, bit for bit.
type Recompute uint8

const (
	RecomputeNone  Recompute = iota // keep all
	RecomputeLayer                  // keep only the input of each layer, [tokens, HiddenSize]
)

var recomputes = []string{"none", "layer"}

func (r Recompute) String() string { return recomputes[r] }

// MarshalText returns "none" or "layer".
func (r Recompute) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (r *Recompute) UnmarshalText(text []byte) error {
	i := slices.Index(recomputes, string(text))
	if i < 0 {
		return fmt.Errorf("recompute is %q, expected none or layer", text)
	}
	*r = Recompute(i)
	return nil
}

// drops reports whether the activations within a layer are computed again. Those of the last
// layer are kept, because the gradient starts with them.
func (r Recompute) drops(layer, layers int) bool { return r == RecomputeLayer && layer < layers-1 }
