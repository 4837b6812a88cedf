package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/dpo"
)

func newDPOCmd() *cobra.Command {
	return newStageCmd(stage[dpo.Settings]{
		name:     "dpo",
		short:    "Optimise a model directly on preferences",
		example:  "  herd dpo --model chatty --data preferences.arrow --out aligned --set beta=0.1",
		defaults: dpo.Defaults(),
		paths: []pathFlag{
			dataFlag("preferences", "`TABLES` of preferences to learn from"),
			modelFlag("`DIR` of the model to start from"),
			adapterFlag,
			outFlag("`DIR` to write the model to"),
		},
		trains: true,
		run: func(ctx context.Context, s dpo.Settings, c conduct) error {
			return dpo.Run(ctx, s, c.train())
		},
		wrote: func(s dpo.Settings) string { return s.Out },
	})
}
