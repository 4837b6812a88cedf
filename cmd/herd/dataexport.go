package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/data/format"
)

func newDataExportCmd() *cobra.Command {
	var out string
	var overwrite bool
	cmd := &cobra.Command{
		Use:     "export TABLE",
		Short:   "Export a table as JSON lines",
		Example: "  herd data export chats.arrow --out chats.jsonl",
		Args:    operands("TABLE"),
		RunE: func(cmd *cobra.Command, tables []string) error {
			if ext := strings.ToLower(filepath.Ext(out)); !slices.Contains([]string{".jsonl", ".ndjson", ".txt", ""}, ext) {
				return misuse(cmd, "--out is %s, but herd exports JSON lines: name the file .jsonl", out)
			}
			return writeOutput(out, overwrite, func(w io.Writer) error { return format.ExportJSONL(w, tables[0]) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "-", "`FILE` to write; -: standard output")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace the file if it exists")
	return cmd
}
