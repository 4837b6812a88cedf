package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
)

func newDataImportCmd() *cobra.Command {
	var out, split string
	var s format.ImportSettings
	kind := choose(append([]string{"any"}, tableKinds()...)...)
	layout := choose(append([]string{"auto"}, formatNames()...)...)
	cmd := &cobra.Command{
		Use:   "import FILE|DIR... --out TABLE",
		Short: "Import JSON, JSONL, CSV, Parquet, Arrow or text files as a table",
		Long: `Import files as a table: JSON, JSONL, CSV, TSV, Parquet, Arrow files and streams, herd's own
tables (to join several), and text. Files may be compressed with gzip or Zstandard. If you name a
folder, herd imports the files in it. The first line of a CSV or TSV file names its columns.

herd refuses a key of a message that it does not know, and a row with a weight, mask, verdict, part
of a prompt or answer that the format would not use. --ignore leaves a key out. herd keeps other keys
of a row in the column meta: the answer to a prompt is a reference there, and --format qa learns it.

Formats:` + wrapped(layout.allowed),
		Example: "  herd data import hh-rlhf/*.jsonl.gz --out preferences.arrow",
		Args:    operands("FILE..."),
		RunE: func(cmd *cobra.Command, files []string) error {
			s.Kind, s.Format, s.Split = table.Kind(kind.unless("any")), format.Format(layout.unless("auto")), format.Split(split)
			report, err := format.Import(out, files, s)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%vwrote %s\n", report, out)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "`TABLE` to write: the path of an Arrow file")
	flags.Var(kind, "kind", "kind of rows to import: "+kind.list())
	flags.Var(layout, "format", "format of the files (auto: detect it from the first row)")
	flags.StringVar(&split, "split", "", "cut text files into documents: none, paragraphs or a `SEPARATOR`")
	flags.IntVar(&s.Limit, "limit", 0, "maximum number of rows to import (0: all)")
	flags.StringSliceVar(&s.Ignore, "ignore", nil, "leave out these `KEYS` of rows and messages")
	flags.StringToStringVar(&s.Map, "map", nil, "use a column under another name, `COLUMN=FIELD`, such as solution=completion; fields are the keys of the formats")
	flags.BoolVar(&s.Overwrite, "overwrite", false, "replace the table if it exists")
	require(cmd, "out")
	return cmd
}

// tableKinds lists the kinds of table, the simplest first.
func tableKinds() (names []string) {
	for _, kind := range slices.Backward(table.Kinds()) {
		names = append(names, string(kind))
	}
	return names
}

func formatNames() (names []string) {
	for _, f := range []format.Format{
		format.Herd, format.OpenAIPreference, format.ShareGPTPreference, format.AlpacaPreference, format.PromptPreference,
		format.Ranked, format.Numbered, format.Annotation,
		format.ShareGPT, format.OpenAI, format.Alpaca, format.SeedTask, format.Completion, format.QA, format.JSONText, format.Prompts, format.Text,
	} {
		names = append(names, string(f))
	}
	return names
}
