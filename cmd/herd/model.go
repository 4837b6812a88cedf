package main

import "github.com/spf13/cobra"

func newModelCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Look at models, check, compare and average them",
		Example: "  herd model info base",
	}
	cmd.AddCommand(newModelInfoCmd(), newModelVerifyCmd(), newModelDiffCmd(), newModelAverageCmd())
	return asGroup(cmd)
}
