package main

import (
	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/weights/modeldir"
)

func newModelAverageCmd() *cobra.Command {
	var a modeldir.Averaging
	var overwrite bool
	cmd := &cobra.Command{
		Use:   "average OUT IN...",
		Short: "Write the weighted mean of models",
		Long: `Write the mean of the weights of two or more models of the same config.json and
tokenizer, such as checkpoints of runs with other data or settings (Llama 3,
section 4.1.5). The config.json, the tokenizer and the data types are those of the
first model. No model needs to fit in memory.`,
		Example: `  herd model average soup sft-1 sft-2 sft-3
  herd model average soup sft dpo --weights 1,3`,
		Args: operands("OUT", "IN..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Out, a.Models = args[0], args[1:]
			if err := refuseExisting(a.Out, overwrite); err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			shown := newDisplay(cmd.OutOrStdout(), false)
			a.Progress = shown.tensors("average")
			return shown.end(a.Out, a.Run(ctx))
		},
	}
	cmd.Flags().Float64SliceVar(&a.Weights, "weights", nil, "weight of each model, `W,W,...` (default: equal weights)")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace OUT if it exists")
	return cmd
}
