package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/tokenizer"
	"github.com/herd-lm/herd/data"
)

func newTokenizerCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tokenizer",
		Short:   "Train and try tokenizers",
		Example: "  herd tokenizer train --data corpus.arrow --vocab-size 8192 --out tok",
	}
	cmd.AddCommand(newTokenizerTrainCmd(), newTokenizerEncodeCmd(), newTokenizerDecodeCmd())
	return asGroup(cmd)
}

func newTokenizerTrainCmd() *cobra.Command {
	var tables []string
	var size int
	var out string
	var overwrite bool
	cmd := &cobra.Command{
		Use:     "train --data TABLES --vocab-size N --out DIR",
		Short:   "Train a vocabulary on documents",
		Example: "  herd tokenizer train --data corpus.arrow --vocab-size 8192 --out tok",
		Args:    operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := refuseExisting(filepath.Join(out, "tokenizer.json"), overwrite); err != nil {
				return err
			}
			var failed error
			tok, err := tokenizer.Train(texts(tables, &failed), tokenizer.TrainSettings{VocabSize: size})
			if failed != nil {
				return failed
			}
			if err != nil {
				return err
			}
			if err := tok.Save(out); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: %d tokens\n", out, tok.VocabSize())
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&tables, "data", nil, "`TABLES` of documents to learn from")
	flags.IntVar(&size, "vocab-size", 8192, "tokens, special ones included")
	flags.StringVar(&out, "out", "", "`DIR` to write to")
	flags.BoolVar(&overwrite, "overwrite", false, "replace a tokenizer in the directory")
	require(cmd, "data", "out")
	return cmd
}

// texts yields the documents of tables until one cannot be read.
func texts(tables []string, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, table := range tables {
			for row, err := range data.Scan[data.Document](table) {
				if err != nil {
					*failed = err
					return
				}
				if !yield(row.Text) {
					return
				}
			}
		}
	}
}

func newTokenizerEncodeCmd() *cobra.Command {
	return translate("encode", "text", "Print the tokens of a text as JSON", "  echo -n 'Hello' | herd tokenizer encode --model base",
		func(w io.Writer, tok *tokenizer.Tokenizer, text string) error {
			return jsonLines(w).Encode(tok.Encode(text))
		})
}

func newTokenizerDecodeCmd() *cobra.Command {
	return translate("decode", "a JSON list of tokens", "Print the text of tokens", "  echo '[15339, 1917]' | herd tokenizer decode --model base",
		func(w io.Writer, tok *tokenizer.Tokenizer, text string) error {
			var ids []token.ID
			if err := json.Unmarshal([]byte(text), &ids); err != nil {
				return fmt.Errorf("expected a JSON list of tokens: %w", err)
			}
			_, err := io.WriteString(w, tok.Decode(ids))
			return err
		})
}

// translate is a command that takes an argument, or standard input, through a
// tokenizer.
func translate(name, input, short, example string, do func(io.Writer, *tokenizer.Tokenizer, string) error) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: name + " --model DIR [INPUT...]", Short: short, Example: example,
		Long: short + ": " + input + " from the arguments, or from standard input.",
		RunE: func(cmd *cobra.Command, args []string) error {
			tok, err := tokenizer.Load(dir)
			if err != nil {
				return err
			}
			text := []byte(strings.Join(args, " "))
			if len(args) == 0 {
				if text, err = io.ReadAll(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return do(cmd.OutOrStdout(), tok, string(text))
		},
	}
	cmd.Flags().StringVar(&dir, "model", "", "`DIR` of the tokenizer or model")
	require(cmd, "model")
	return cmd
}
