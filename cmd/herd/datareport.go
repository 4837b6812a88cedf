package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/report"
)

func newDataReportCmd() *cobra.Command {
	var v reportView
	var seed uint64
	cmd := &cobra.Command{
		Use:   "report SAMPLES",
		Short: "Report on a table of samples: pass@k, best of n, length bias",
		Long: `Report on a table of samples: pass@k and best-of-n curves with confidence intervals,
the distribution of scores, whether the scores favour long answers, and some
examples. herd prints a few sentences, or the numbers with --json. --out writes an
HTML page with plots; the page works offline.`,
		Example: "  herd data report best/samples.arrow --out report.html",
		Args:    operands("SAMPLES"),
		RunE: func(cmd *cobra.Command, tables []string) error {
			if v.out == "-" && v.json {
				return misuse(cmd, "--out - and --json both write to standard output")
			}
			if err := refuseExisting(v.out, v.overwrite); v.out != "" && err != nil {
				return err
			}
			r, err := reportOf(tables[0], seed)
			if err != nil {
				return err
			}
			return v.show(cmd.OutOrStdout(), r)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&v.out, "out", "", "`FILE` to write the page to; -: standard output")
	flags.BoolVar(&v.json, "json", false, "print the numbers as JSON")
	flags.Uint64Var(&seed, "seed", 0, "seed that selects the examples and the bootstrap resamples of the intervals (default 0)")
	flags.BoolVar(&v.overwrite, "overwrite", false, "replace the file if it exists")
	return cmd
}

// reportOf builds the report on a table of samples, row by row.
func reportOf(path string, seed uint64) (*report.Report, error) {
	b := report.New(report.Options{Title: path, Seed: seed})
	for row, err := range table.Scan[table.Sample](path) {
		if err != nil {
			return nil, err
		}
		b.Add(row)
	}
	return b.Report(), nil
}

// reportView holds the output flags of a report.
type reportView struct {
	out             string // file of the page; empty: none, -: standard output
	json, overwrite bool
}

func (v reportView) show(w io.Writer, r *report.Report) error {
	if v.out != "" {
		if err := writeOutput(v.out, v.overwrite, r.WriteHTML); err != nil {
			return err
		}
	}
	switch {
	case v.json:
		return jsonLines(w).Encode(r)
	case v.out == "-":
		return nil
	}
	return v.printFindings(w, r)
}

func (v reportView) printFindings(w io.Writer, r *report.Report) error {
	lines := append([]string{fmt.Sprintf("%d samples of %d prompts", r.Samples, r.Prompts)}, r.Findings()...)
	if v.out != "" {
		lines = append(lines, "wrote "+v.out)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
