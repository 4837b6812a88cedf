package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/sft"
)

func newSFTCmd() *cobra.Command {
	return newStageCmd(stage[sft.Settings]{
		name:     "sft",
		short:    "Fine-tune a model on chats",
		example:  "  herd sft --model base --data chats.arrow --out chatty --set learning_rate=1e-4",
		defaults: sft.Defaults(),
		paths: []pathFlag{
			dataFlag("chats", "`TABLES` of chats to learn from"),
			modelFlag("`DIR` of the model to start from"),
			adapterFlag,
			outFlag("`DIR` to write the model to"),
		},
		trains: true,
		run: func(ctx context.Context, s sft.Settings, c conduct) error {
			return sft.Run(ctx, s, c.train())
		},
		wrote: func(s sft.Settings) string { return s.Out },
	})
}
