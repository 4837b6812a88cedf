package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/pretrain"
)

func newPretrainCmd() *cobra.Command {
	return newStageCmd(stage[pretrain.Settings]{
		name:     "pretrain",
		short:    "Train a model on documents, a new one or one to go on from",
		example:  "  herd pretrain --data corpus.arrow --out base --set architecture.num_hidden_layers=4 --set epochs=2",
		defaults: pretrain.Defaults(),
		paths: []pathFlag{
			dataFlag("documents", "`TABLES` of documents to learn from"),
			modelFlag("`DIR` of a model to go on from (none: a new one)"),
			adapterFlag,
			outFlag("`DIR` to write the model to"),
		},
		trains: true,
		run: func(ctx context.Context, s pretrain.Settings, c conduct) error {
			return pretrain.Run(ctx, s, c.train())
		},
		wrote: func(s pretrain.Settings) string { return s.Out },
	})
}
