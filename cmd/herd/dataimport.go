package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/data"
)

func newDataImportCmd() *cobra.Command {
	var out, split string
	var s data.ImportSettings
	kind := choose("any", string(data.Documents), string(data.Chats), string(data.Preferences), string(data.Samples))
	format := choose(append([]string{"auto"}, formatNames()...)...)
	cmd := &cobra.Command{
		Use:     "import FILE|DIR... --out TABLE",
		Short:   "Make a table out of JSON, JSONL or text files",
		Long:    "Make a table out of JSON, JSONL or text files, also compressed, and of those in\nfolders.\n\nFormats:" + wrapped(format.allowed),
		Example: "  herd data import hh-rlhf/*.jsonl.gz --out preferences.arrow",
		Args:    operands("FILE..."),
		RunE: func(cmd *cobra.Command, files []string) error {
			s.Kind, s.Format, s.Split = data.Kind(kind.unless("any")), data.Format(format.unless("auto")), data.Split(split)
			report, err := data.Import(out, files, s)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%vwrote %s\n", report, out)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "`TABLE` to write, an Arrow file")
	flags.Var(kind, "kind", "what the rows must be: "+kind.list())
	flags.Var(format, "format", "layout of the files")
	flags.StringVar(&split, "split", "", "cut text files into documents: none, paragraphs or a `SEPARATOR`")
	flags.IntVar(&s.Limit, "limit", 0, "stop after this many rows (0: all)")
	flags.BoolVar(&s.Overwrite, "overwrite", false, "replace the table if it exists")
	require(cmd, "out")
	return cmd
}

func formatNames() (names []string) {
	for _, f := range []data.Format{
		data.Herd, data.OpenAIPreference, data.ShareGPTPreference, data.AlpacaPreference, data.PromptPreference,
		data.ShareGPT, data.OpenAI, data.Alpaca, data.Completion, data.JSONText, data.Prompts, data.Text,
	} {
		names = append(names, string(f))
	}
	return names
}
