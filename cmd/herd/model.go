package main

import "github.com/spf13/cobra"

func newModelCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Look at models, check and compare them, and make others of them",
		Example: "  herd model info base\n  herd model convert base base.gguf",
	}
	cmd.AddCommand(newModelInfoCmd(), newModelVerifyCmd(), newModelDiffCmd(),
		newModelAverageCmd(), newModelMergeCmd(), newModelConvertCmd())
	return asGroup(cmd)
}
