package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/data"
)

func newDataExportCmd() *cobra.Command {
	var out string
	var overwrite bool
	cmd := &cobra.Command{
		Use:     "export TABLE",
		Short:   "Write a table as lines of JSON",
		Example: "  herd data export chats.arrow --out chats.jsonl",
		Args:    operands("TABLE"),
		RunE: func(_ *cobra.Command, tables []string) error {
			w, err := createOutput(out, overwrite)
			if err != nil {
				return err
			}
			if err := errors.Join(data.ExportJSONL(w, tables[0]), w.Close()); err != nil {
				return errors.Join(err, discard(out))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "-", "`FILE` to write; -: standard output")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace the file if it exists")
	return cmd
}

// discard removes an output that did not become complete.
func discard(path string) error {
	if path == "-" {
		return nil
	}
	return os.Remove(path)
}
