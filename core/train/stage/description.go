package stage

import (
	"context"

	"github.com/herd-lm/herd/core/train"
)

// Description is what recipes and commands need to know of a stage that trains. The stage's
// package exports one, and the table of kinds in recipes lists it.
type Description[S Settings] struct {
	Name     string   // in recipes, manifests and commands: "sft"
	Short    string   // what the stage does, in a line without a full stop
	Example  []string // settings of a typical run: "out=chatty"
	Defaults func() S
	Run      func(context.Context, S, train.Options) error
}
