package main

import (
	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/data"
)

func newDataShowCmd() *cobra.Command {
	var from, rows int
	cmd := &cobra.Command{
		Use:     "show TABLE",
		Short:   "Print rows of a table",
		Example: "  herd data show chats.arrow --from 100 --rows 3",
		Args:    operands("TABLE"),
		RunE: func(cmd *cobra.Command, tables []string) error {
			if from < 1 || rows < 0 {
				return misuse(cmd, "--from is %d and --rows %d, expected 1 or more and 0 or more", from, rows)
			}
			return data.Show(cmd.OutOrStdout(), tables[0], from, rows)
		},
	}
	cmd.Flags().IntVar(&from, "from", 1, "first row to print")
	cmd.Flags().IntVar(&rows, "rows", 10, "how many rows to print (0: all that follow)")
	return cmd
}
