package main

import "github.com/spf13/cobra"

func newDataCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "data",
		Short:   "Import, show, check and export tables",
		Example: "  herd data import chats.jsonl --out chats.arrow",
	}
	cmd.AddCommand(newDataImportCmd(), newDataShowCmd(), newDataStatsCmd(), newDataCheckCmd(), newDataReportCmd(), newDataExportCmd())
	return asGroup(cmd)
}
