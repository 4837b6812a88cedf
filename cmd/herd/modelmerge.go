package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
)

func newModelMergeCmd() *cobra.Command {
	var overwrite bool
	cmd := &cobra.Command{
		Use:   "merge BASE ADAPTER OUT",
		Short: "Merge an adapter into its base",
		Long: `Merge an adapter into its base. OUT becomes a model directory like any other.
ADAPTER is a directory in PEFT's layout, as PEFT or herd (with lora.r) writes it.`,
		Example: "  herd model merge base chatty-lora chatty",
		Args:    operands("BASE", "ADAPTER", "OUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseExisting(args[2], overwrite); err != nil {
				return err
			}
			if err := mergeAdapter(model.Source{Model: args[0], Adapter: args[1]}, args[2]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\n", args[2])
			return err
		},
	}
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace OUT if it exists")
	return cmd
}

// mergeAdapter writes the model with the merged adapter, and its tokenizer.
func mergeAdapter(from model.Source, out string) error {
	at, err := model.Locate(from.Model, from.Adapter)
	if err != nil {
		return err
	}
	params, err := at.Load(false)
	if err != nil {
		return err
	}
	tok, err := template.LoadOver(at.Model, at.Tokenizer(), "")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := params.Config.StopAt(template.Ends(tok)...); err != nil {
		return err
	}
	manifest, err := run.NewManifest("merge", nil, run.Inputs{"model": at.Dirs()})
	if err != nil {
		return err
	}
	return disk.WriteDir(out, func(tmp string) error {
		if err := params.Save(tmp); err != nil {
			return err
		}
		if tok != nil {
			if err := tok.Save(tmp); err != nil {
				return err
			}
		}
		return run.WriteManifest(tmp, manifest)
	})
}
