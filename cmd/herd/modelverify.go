package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/weights/modeldir"
)

func newModelVerifyCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check a model directory for faults",
		Long: `Read all of a model directory and report its faults: files that herd cannot read,
tensors that disagree with config.json, numbers that are not finite, a tied head
that differs from the embedding, a tokenizer or chat template that does not fit the
model. The exit code is 1 if there is a fault.`,
		Example: "  herd model verify base",
		Args:    operands("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			shown := newDisplay(cmd.ErrOrStderr(), false)
			report, err := modeldir.Verify(ctx, args[0], shown.tensors("verify"))
			shown.clear()
			if err != nil {
				return err
			}
			return printReport(cmd.OutOrStdout(), args[0], report, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printReport prints a line for each finding and returns an error if there is any, else a line
// that the model is sound.
func printReport(w io.Writer, dir string, r *modeldir.Report, asJSON bool) error {
	if asJSON {
		if err := jsonLines(w).Encode(r); err != nil {
			return err
		}
	} else {
		for _, f := range r.Findings {
			fmt.Fprintf(w, "%s: %s\n", f.Where, f.What)
		}
	}
	if n := len(r.Findings); n > 0 {
		return fmt.Errorf("%s: %s", dir, plural(n, "problem"))
	}
	if asJSON {
		return nil
	}
	tokens := "no tokenizer"
	if r.Tokens > 0 {
		tokens = fmt.Sprintf("tokenizer of %d tokens", r.Tokens)
	}
	_, err := fmt.Fprintf(w, "%s is sound: %s with %s parameters (%s), %s\n",
		dir, plural(r.Tensors, "tensor"), short(float64(r.Parameters)), shares(r.DTypes, r.Parameters), tokens)
	return err
}

// plural returns "1 thing" or "2 things".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
