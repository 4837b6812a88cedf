package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/rejection"
)

func newRejectionCmd() *cobra.Command {
	return newStageCmd(stage[rejection.Settings]{
		name:     "rejection",
		short:    "Sample answers from a model and let a reward model choose",
		example:  "  herd rejection --model chatty --reward judge --data prompts.arrow --out best --set samples=8",
		defaults: rejection.Defaults(),
		paths: []pathFlag{
			dataFlag("prompts", "`TABLES` of chats to answer"),
			modelFlag("`DIR` of the model that answers"),
			adapterFlag,
			{flag: "reward", setting: "reward", usage: "`DIR` of the reward model that chooses"},
			outFlag("`DIR` to write samples, chats and preferences to"),
		},
		run: func(ctx context.Context, s rejection.Settings, c conduct) error {
			return rejection.Run(ctx, s, rejection.Options{Resume: c.resume, Overwrite: c.overwrite, Report: c.display.sampling})
		},
		wrote: func(s rejection.Settings) string { return s.Out },
	})
}
