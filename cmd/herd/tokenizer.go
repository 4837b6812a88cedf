package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
)

func newTokenizerCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tokenizer",
		Short:   "Train and use tokenizers",
		Example: "  herd tokenizer train --data corpus.arrow --vocab-size 8192 --out tok",
	}
	cmd.AddCommand(newTokenizerTrainCmd(), newTokenizerEncodeCmd(), newTokenizerDecodeCmd(), newTokenizerConvertCmd())
	return asGroup(cmd)
}

func newTokenizerTrainCmd() *cobra.Command {
	var tables []string
	var size int
	var out string
	var overwrite bool
	cmd := &cobra.Command{
		Use:     "train --data TABLES --vocab-size N --out DIR",
		Short:   "Train a tokenizer on documents",
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
			return saveTokenizer(cmd, tok, out)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&tables, "data", nil, "`TABLES` of documents to train on")
	flags.IntVar(&size, "vocab-size", 8192, "number of tokens, including special tokens")
	flags.StringVar(&out, "out", "", "`DIR` to write to")
	flags.BoolVar(&overwrite, "overwrite", false, "replace the tokenizer in the output directory")
	require(cmd, "data", "out")
	return cmd
}

func saveTokenizer(cmd *cobra.Command, tok *tokenizer.Tokenizer, out string) error {
	if err := tok.Save(out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: %d tokens\n", out, tok.VocabSize())
	return err
}

// texts yields the documents of tables. It sets failed and stops at the first error.
func texts(tables []string, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, path := range tables {
			for row, err := range table.Scan[table.Document](path) {
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

func newTokenizerConvertCmd() *cobra.Command {
	var dir, out string
	var overwrite bool
	cmd := &cobra.Command{
		Use:     "convert --model DIR --out DIR",
		Short:   "Convert a tokenizer to tokenizer.json",
		Long:    "Write a tokenizer as tokenizer.json and tokenizer_config.json. The source may be a\ntokenizer.model of Llama 3 (tiktoken) or of SentencePiece.",
		Example: "  herd tokenizer convert --model Meta-Llama-3-8B/original --out tok",
		Args:    operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := refuseExisting(filepath.Join(out, "tokenizer.json"), overwrite); err != nil {
				return err
			}
			tok, err := tokenizer.Load(dir)
			if err != nil {
				return err
			}
			return saveTokenizer(cmd, tok, out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "model", "", "`DIR` of the tokenizer or model")
	flags.StringVar(&out, "out", "", "`DIR` to write to")
	flags.BoolVar(&overwrite, "overwrite", false, "replace the tokenizer in the output directory")
	require(cmd, "model", "out")
	return cmd
}

func newTokenizerEncodeCmd() *cobra.Command {
	var special bool
	cmd := translate("encode", "text", "Convert text to token ids, printed as JSON", "  echo -n 'Hello' | herd tokenizer encode --model base",
		func(w io.Writer, tok *tokenizer.Tokenizer, text []byte, isJSON bool) error {
			line := string(text)
			if isJSON {
				if err := json.Unmarshal(text, &line); err != nil {
					return fmt.Errorf("expected a text as a JSON string: %w", err)
				}
			}
			encode := tok.Encode
			if special {
				encode = tok.EncodeWithSpecial
			}
			return jsonLines(w).Encode(encode(line))
		})
	cmd.Flags().BoolVar(&special, "special", false, "recognise the names of special tokens in the text")
	return cmd
}

func newTokenizerDecodeCmd() *cobra.Command {
	return translate("decode", "a JSON list of token ids", "Convert token ids to text", "  echo '[15339, 1917]' | herd tokenizer decode --model base",
		func(w io.Writer, tok *tokenizer.Tokenizer, text []byte, asJSON bool) error {
			var ids []token.ID
			if err := json.Unmarshal(text, &ids); err != nil {
				return fmt.Errorf("expected a JSON list of token ids: %w", err)
			}
			if asJSON {
				return jsonLines(w).Encode(tok.Decode(ids))
			}
			_, err := io.WriteString(w, tok.Decode(ids))
			return err
		})
}

// translation encodes or decodes one input. With lines set, input and output are lines of JSON.
type translation func(w io.Writer, tok *tokenizer.Tokenizer, text []byte, lines bool) error

// translate returns a command that encodes or decodes its arguments or standard input, as a
// whole or line by line.
func translate(name, input, short, example string, do translation) *cobra.Command {
	var dir string
	var lines bool
	cmd := &cobra.Command{
		Use: name + " --model DIR [INPUT...]", Short: short, Example: example,
		Long: short + ": " + input + " from the arguments, or from standard input.",
		RunE: func(cmd *cobra.Command, args []string) error {
			tok, err := tokenizer.Load(dir)
			if err != nil {
				return err
			}
			input := cmd.InOrStdin()
			if len(args) > 0 {
				input = strings.NewReader(strings.Join(args, " "))
			}
			if lines {
				return do.eachLine(cmd.OutOrStdout(), tok, input)
			}
			text, err := io.ReadAll(input)
			if err != nil {
				return err
			}
			return do(cmd.OutOrStdout(), tok, text, false)
		},
	}
	cmd.Flags().StringVar(&dir, "model", "", "`DIR` of the tokenizer or model")
	cmd.Flags().BoolVar(&lines, "lines", false, "read and write one JSON value a line: a list of token ids, or a text as a JSON string")
	require(cmd, "model")
	return cmd
}

// eachLine translates inputs of one JSON value a line.
func (do translation) eachLine(w io.Writer, tok *tokenizer.Tokenizer, input io.Reader) error {
	buffered := bufio.NewWriter(w)
	d := json.NewDecoder(input)
	for n := 1; ; n++ {
		var line json.RawMessage
		err := d.Decode(&line)
		if err == io.EOF {
			return buffered.Flush()
		}
		if err == nil {
			err = do(buffered, tok, line, true)
		}
		if err != nil {
			return fmt.Errorf("input %d: %w", n, err)
		}
	}
}
