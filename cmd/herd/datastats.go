package main

import (
	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/data/view"
)

func newDataStatsCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "stats TABLE",
		Short:   "Summarise a table",
		Example: "  herd data stats preferences.arrow",
		Args:    operands("TABLE"),
		RunE: func(cmd *cobra.Command, tables []string) error {
			summary, err := view.Stats(tables[0])
			if err != nil {
				return err
			}
			if asJSON {
				return jsonLines(cmd.OutOrStdout()).Encode(summaryJSON(summary))
			}
			return summary.Print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// summaryJSON returns distributions and counts by column name.
func summaryJSON(s view.Summary) map[string]any {
	distributions := make(map[string]any)
	for _, d := range s.Distributions {
		distributions[d.Name] = map[string]any{
			"count": d.Count, "min": d.Min, "median": d.Median, "mean": d.Mean, "p95": d.P95, "max": d.Max,
		}
	}
	counts := make(map[string]map[string]int)
	for _, c := range s.Counts {
		counts[c.Name] = make(map[string]int)
		for _, v := range c.Values {
			counts[c.Name][v.Value] = v.N
		}
	}
	return map[string]any{
		"kind": s.Header.Kind, "rows": s.Rows, "distinct": s.Distinct, "estimated": s.Estimated,
		"distributions": distributions, "counts": counts,
	}
}
