package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/weights/convert"
)

// conversion holds the arguments of convert.
type conversion struct {
	in, out, tokenizer string
	overwrite          bool
	to                 choice // "": by OUT's name
}

func newModelConvertCmd() *cobra.Command {
	c := conversion{}
	for _, form := range convert.Forms() {
		c.to.allowed = append(c.to.allowed, string(form))
	}
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Convert a model between Hugging Face, GGUF and llama2.c formats",
		Long: `Convert a model. IN is a Hugging Face directory, a GGUF file, or a .bin file of
llama2.c; herd detects the kind from the content. OUT is a Hugging Face directory, or a GGUF file
with matrices of the type in --to. Without --to, herd writes gguf-f16 if OUT ends in
.gguf, and hf otherwise. A directory keeps the type of the weights if it can;
quantised weights become float32.`,
		Example: `  herd model convert aligned aligned.gguf --to gguf-q8_0
  herd model convert stories260K.bin stories --tokenizer tok512.bin
  herd model convert some-model.Q4_0.gguf some-model`,
		Args: operands("IN", "OUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.in, c.out = args[0], args[1]
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return c.run(ctx, cmd.OutOrStdout())
		},
	}
	cmd.Flags().Var(&c.to, "to", "`FORM` of OUT (default: by OUT's name): "+c.to.list())
	cmd.Flags().BoolVar(&c.overwrite, "overwrite", false, "replace OUT if it exists")
	cmd.Flags().StringVar(&c.tokenizer, "tokenizer", "", "`FILE` or directory of a tokenizer to use instead of IN's")
	return cmd
}

func (c conversion) run(ctx context.Context, w io.Writer) error {
	if sameFile(c.in, c.out) {
		return fmt.Errorf("%s and %s are the same: choose another path for OUT", c.in, c.out)
	}
	if entries, err := os.ReadDir(c.out); err != nil || len(entries) > 0 { // an empty directory is as good as none
		if err := refuseExisting(c.out, c.overwrite); err != nil {
			return err
		}
	}
	m, err := convert.Open(c.in)
	if err != nil {
		return err
	}
	defer m.Close()
	if c.tokenizer != "" {
		tok, err := convert.OpenTokenizer(c.tokenizer)
		if err != nil {
			return err
		}
		if err := m.WithTokenizer(tok); err != nil {
			return fmt.Errorf("%s and %s: %w", c.in, c.tokenizer, err)
		}
	}
	if m.Tokenizer == nil {
		fmt.Fprintf(os.Stderr, "herd: %s has no tokenizer, so %s will have none: name one with --tokenizer\n", c.in, c.out)
	}
	form := convert.Form(c.to.value)
	if form == "" {
		form = convert.FormFor(c.out)
	}
	shown := newDisplay(w, false)
	shown.last = time.Now() // a short conversion prints no progress
	err = convert.Write(c.out, m, form, c.overwrite, func(done, all int) error {
		shown.show(nil, fmt.Sprintf("%s as %s  tensors %d/%d", m.Kind, form, done, all), false)
		return ctx.Err()
	})
	return shown.end(c.out, err)
}

// sameFile reports whether two paths lead to one file or directory.
func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
