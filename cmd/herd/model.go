package main

import "github.com/spf13/cobra"

func newModelCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Look at models, and make others of them",
		Example: "  herd model info base",
	}
	cmd.AddCommand(newModelInfoCmd(), newModelMergeCmd())
	return asGroup(cmd)
}
