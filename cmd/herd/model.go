package main

import "github.com/spf13/cobra"

func newModelCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Inspect, check, compare and convert models",
		Example: "  herd model info base\n  herd model convert base base.gguf",
	}
	cmd.AddCommand(newModelInfoCmd(), newModelVerifyCmd(), newModelDiffCmd(),
		newModelAverageCmd(), newModelMergeCmd(), newModelConvertCmd())
	return asGroup(cmd)
}
