package main

import (
	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/data/view"
)

func newDataShowCmd() *cobra.Command {
	var from, rows int
	var masked bool
	var m maskView
	cmd := &cobra.Command{
		Use:   "show TABLE",
		Short: "Print rows of a table",
		Long: `Print rows of a table. With --mask, print chats and preferences as the tokens of a
model and highlight the tokens from which it learns: in colour on a terminal, in
brackets elsewhere. Dots separate tokens. --reasoning is the setting reasoning of
the stages: with learn or mask, a chat may become several texts, one for each turn.`,
		Example: "  herd data show chats.arrow --from 100 --rows 3\n  herd data show chats.arrow --mask --model base --rows 1",
		Args:    operands("TABLE"),
		RunE: func(cmd *cobra.Command, tables []string) error {
			if from < 1 || rows < 0 {
				return misuse(cmd, "--from is %d and --rows %d, expected 1 or more and 0 or more", from, rows)
			}
			if masked != (m.model != "") || !masked && (m.json || m.noColor || m.template != "" || m.reasoning != "") {
				return misuse(cmd, "--mask needs --model, and --model, --template, --reasoning, --no-color and --json need --mask")
			}
			if err := template.Reasoning(m.reasoning).Validate(); err != nil {
				return misuse(cmd, "--%v", err)
			}
			if masked {
				return m.show(cmd.OutOrStdout(), tables[0], from, rows)
			}
			return view.Show(cmd.OutOrStdout(), tables[0], from, rows)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&from, "from", 1, "number of the first row to print, counted from 1")
	flags.IntVar(&rows, "rows", 10, "number of rows to print (0: all that follow)")
	flags.BoolVar(&masked, "mask", false, "print tokens and highlight those from which the model learns")
	flags.StringVar(&m.model, "model", "", "`DIR` of the model or tokenizer")
	templateFlag(cmd, &m.template)
	flags.StringVar(&m.reasoning, "reasoning", "", "what to do with reasoning that the template leaves out: learn or mask; empty: refuse the row")
	flags.BoolVar(&m.noColor, "no-color", false, "use brackets instead of colours")
	flags.BoolVar(&m.json, "json", false, "print one JSON line per row")
	return cmd
}
