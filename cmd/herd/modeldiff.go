package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/weights/modeldir"
)

func newModelDiffCmd() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Show how two models differ",
		Long: `Compare the configurations, the tokenizers and the weights of two model
directories. The distance of two tensors is the Euclidean norm of their difference
over the larger of their norms.`,
		Example: "  herd model diff base chatty",
		Args:    operands("A", "B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			shown := newDisplay(cmd.ErrOrStderr(), false)
			d, err := modeldir.Diff(ctx, args[0], args[1], shown.tensors("diff"))
			shown.clear()
			if err != nil {
				return err
			}
			if asJSON {
				return jsonLines(cmd.OutOrStdout()).Encode(d)
			}
			return printDifference(cmd.OutOrStdout(), d, all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&all, "all", false, "list all tensors that differ, not only the most different ones")
	return cmd
}

// listedTensors is the number of different tensors to list.
const listedTensors = 12

func printDifference(w io.Writer, d *modeldir.Difference, all bool) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fact := func(format string, args ...any) { fmt.Fprintf(tab, format+"\n", args...) }
	for _, f := range d.Config {
		fact("config.json\t%s\t%s -> %s", f.Name, orNone(f.A), orNone(f.B))
	}
	if d.Tokenizer {
		fact("tokenizer\tdifferent vocabulary or chat template")
	}
	for _, name := range d.OnlyA {
		fact("weights\t%s\tonly in A", name)
	}
	for _, name := range d.OnlyB {
		fact("weights\t%s\tonly in B", name)
	}
	for _, s := range d.Shapes {
		fact("weights\t%s\t%v -> %v", s.Name, s.A, s.B)
	}
	for i, t := range d.Tensors {
		if i == listedTensors && !all {
			fact("weights\t%d more tensors\tdiffer less (--all lists them)", len(d.Tensors)-i)
			break
		}
		fact("weights\t%s\t%s", t.Name, apart(t))
	}
	fact("weights\t%s the same, %d not\t%.3g%% apart in all", plural(d.Same, "tensor"), len(d.Tensors), 100*d.Relative)
	return tab.Flush()
}

// apart formats the distance of two tensors.
func apart(t modeldir.TensorDifference) string {
	if t.NaN {
		return "not finite"
	}
	return fmt.Sprintf("%.3g%% apart, %s", 100*t.Relative, plural(t.Numbers, "number"))
}

// orNone returns a value of config.json in one line.
func orNone(value []byte) string {
	var line bytes.Buffer
	if value == nil || json.Compact(&line, value) != nil {
		return "none"
	}
	return line.String()
}
