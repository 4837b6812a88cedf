package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/policy"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
)

// answerer is a model whose answers go to a terminal or a file.
type answerer struct{ *policy.Policy }

// openPolicy loads the model. If chats is set, the model must have a chat template.
func openPolicy(m modelFlags, o engine.Options, precision kernel.Precision, chats bool) (answerer, error) {
	dir, err := asDirectory(m.dir)
	if err != nil {
		return answerer{}, err
	}
	p, err := policy.Open(policy.Settings{
		Model: dir, Adapter: m.adapter, Template: m.template, Precision: precision, Chats: chats,
	}, o)
	return answerer{p}, err
}

// stream draws one continuation and writes its text to w as it grows. With an error it returns
// the text up to there.
func (p answerer) stream(ctx context.Context, w io.Writer, r sample.Request) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var text strings.Builder
	write := func(piece string) {
		text.WriteString(piece)
		if _, err := io.WriteString(w, piece); err != nil {
			cancel(err)
		}
	}
	r.Stream = func(_ int, d sample.Delta) { write(d.Text) }
	err := p.Check(r.Prompt)
	if err == nil {
		err = p.Sampler().Generate(ctx, []sample.Request{r}, func(int, []sample.Completion) error { return nil })
	}
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = cause
	}
	return text.String(), err
}

// harmless returns w, or for a terminal a writer that replaces control characters: a model may
// write anything. Each Write must consist of whole characters.
func harmless(w io.Writer) io.Writer {
	if !isTerminal(w) {
		return w
	}
	return filter{w}
}

type filter struct{ w io.Writer }

func (f filter) Write(b []byte) (int, error) {
	shown := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, string(b))
	_, err := io.WriteString(f.w, shown)
	return len(b), err
}

// samplingFlags adds the flags of s and of the precision to cmd. Their current values are the
// defaults.
func samplingFlags(cmd *cobra.Command, s *sample.Settings, precision *kernel.Precision) {
	flags := cmd.Flags()
	flags.Float64Var(&s.Temperature, "temperature", s.Temperature, "randomness of sampling; 0 always takes the likeliest token")
	flags.Var((*topP)(&s.TopP), "top-p", "draw from the smallest set of likeliest tokens with this total probability (0: only the likeliest, 1: off)")
	flags.IntVar(&s.TopK, "top-k", s.TopK, "draw from the `N` likeliest tokens (0: all)")
	flags.Float64Var(&s.MinP, "min-p", s.MinP, "draw from tokens with at least this fraction of the likeliest token's probability")
	flags.Float64Var(&s.Repetition, "repetition", 1, "penalty on tokens of the prompt and the answer so far; above 1 makes them less likely, 1 is off")
	flags.StringArrayVar(&s.StopStrings, "stop", nil, "end an answer before this `TEXT`; you can repeat the flag")
	flags.IntVar(&s.MaxTokens, "max-tokens", s.MaxTokens, "maximum length of an answer, in tokens")
	precisionFlag(cmd, precision)
}

// topP is the value of --top-p.
type topP float64

func (p *topP) String() string { return strconv.FormatFloat(float64(*p), 'g', -1, 64) }
func (p *topP) Type() string   { return "float" }

// Set implements pflag.Value.
func (p *topP) Set(text string) error {
	asked, err := strconv.ParseFloat(text, 64)
	if err != nil || !(asked >= 0 && asked <= 1) {
		return errors.New("expected a number from 0 to 1")
	}
	*p = topP(sample.TopP(asked))
	return nil
}

// precisionFlag adds --precision to cmd. The current value is the default.
func precisionFlag(cmd *cobra.Command, precision *kernel.Precision) {
	cmd.Flags().TextVar(precision, "precision", *precision, "`FORMAT` of matrix products: fp32, bf16, auto (the faster of these), or int8 (weights in a quarter of the memory)")
}
