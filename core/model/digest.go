package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/herd-lm/herd/core/kernel"
)

// Digest identifies the body of a model by the names, shapes and values of its weights,
// whatever their storage: an adapter fits one body only. It leaves out the heads, which
// training stages add and remove.
func (p *Params) Digest() string {
	h := sha256.New()
	for _, t := range p.Tensors {
		if t == p.Embed || t != p.Head && t != p.Score {
			fmt.Fprintf(h, "%s %v %016x\n", t.Name, t.Shape, t.fingerprint())
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fingerprint returns the fingerprint of the weights as they were read.
func (t *Param) fingerprint() uint64 {
	if t.W == nil {
		return t.print
	}
	return kernel.Fingerprint(t.W)
}
