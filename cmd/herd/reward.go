package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/reward"
)

func newRewardCmd() *cobra.Command {
	return newStageCmd(stage[reward.Settings]{
		name:     "reward",
		short:    "Train a reward model on preferences",
		example:  "  herd reward --model base --data preferences.arrow --out judge",
		defaults: reward.Defaults(),
		paths: []pathFlag{
			dataFlag("preferences", "`TABLES` of preferences to learn from"),
			modelFlag("`DIR` of the model to start from"),
			adapterFlag,
			outFlag("`DIR` to write the reward model to"),
		},
		trains: true,
		run: func(ctx context.Context, s reward.Settings, c conduct) error {
			return reward.Run(ctx, s, c.train())
		},
		wrote: func(s reward.Settings) string { return s.Out },
	})
}
