package main

import "github.com/spf13/cobra"

func newModelCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Look at models",
		Example: "  herd model info base",
	}
	cmd.AddCommand(newModelInfoCmd())
	return asGroup(cmd)
}
