package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// policy is a model that answers, with its tokenizer.
type policy struct {
	name   string // of its directory, for errors
	config model.Config
	tok    *tokenizer.Tokenizer
	engine *engine.Engine
	stop   []token.ID

	format   *template.Format
	formless error // why there is no format
}

// loadPolicy loads the model, to answer as o says, with products of the given
// precision.
func loadPolicy(m modelFlags, o engine.Options, precision kernel.Precision) (*policy, error) {
	at, err := m.locate()
	if err != nil {
		return nil, err
	}
	config, err := at.Config()
	if err != nil {
		return nil, err
	}
	if config.IsReward() {
		return nil, fmt.Errorf("%s is a reward model: it scores ('herd score'), it cannot answer", m)
	}
	tok, err := loadTokenizer(at.Tokenizer())
	if err != nil {
		return nil, err
	}
	weights, err := at.Pack(precision)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m, err)
	}
	engine := engine.New(weights, tok, o)
	p := &policy{name: m.String(), config: config, tok: tok, engine: engine}
	p.stop = []token.ID{tok.EOT(), tok.EOS()}
	if p.format, p.formless = template.New(tok); p.formless == nil {
		p.stop = append(p.stop, p.format.Stop()...)
	}
	p.stop = config.StopIDs(p.stop...)
	return p, nil
}

// loadTokenizer loads the tokenizer in dir. One that knows no chats but has the
// tokens of Llama 3's template gets that.
func loadTokenizer(dir string) (*tokenizer.Tokenizer, error) {
	tok, err := tokenizer.Load(dir)
	if err == nil && tok.Template().Source == "" && tok.EOT() != tokenizer.None {
		tok = tok.WithTemplate(tokenizer.Template{Source: tokenizer.Llama3Template})
	}
	return tok, err
}

const templateUsage = "`NAME` of a chat template in place of the model's (llama3, llama3.1, chatml, zephyr, gemma, mistral, phi)"

// loadFormat loads the tokenizer in dir with its chat template, or that of a name.
func loadFormat(dir, name string) (*tokenizer.Tokenizer, *template.Format, error) {
	tok, err := loadTokenizer(dir)
	if err != nil {
		return nil, nil, err
	}
	if name != "" {
		named, err := template.Named(name)
		if err != nil {
			return nil, nil, err
		}
		tok = tok.WithTemplate(named)
	}
	format, err := template.New(tok)
	if err != nil {
		err = fmt.Errorf("%s: %w", dir, err)
	}
	return tok, format, err
}

// answering returns the tokens that the model is given to answer messages.
func (p *policy) answering(messages []chat.Message) ([]token.ID, error) {
	if p.formless != nil {
		return nil, fmt.Errorf("%s: %w", p.name, p.formless)
	}
	ids, err := p.format.Prompt(messages)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return ids, nil
}

// check reports a prompt that the model cannot take, in words about its directory.
func (p *policy) check(prompt []token.ID) error {
	for _, id := range prompt {
		if int(id) >= p.config.VocabSize {
			return fmt.Errorf("%s: its tokenizer gives token %d (%q), but its model has a vocabulary of %d: they do not belong together",
				p.name, id, p.tok.Token(id), p.config.VocabSize)
		}
	}
	return nil
}

// request returns the request for continuations of prompt.
func (p *policy) request(prompt []token.ID, s sample.Settings, seeds ...uint64) sample.Request {
	return sample.Request{Prompt: prompt, Seeds: seeds, Stop: p.stop, Settings: s}
}

// stream draws one continuation and writes its text to w as it comes; what came
// before an error is returned with it.
func (p *policy) stream(ctx context.Context, w io.Writer, r sample.Request) (string, error) {
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
	err := p.check(r.Prompt)
	if err == nil {
		err = p.engine.Generate(ctx, []sample.Request{r}, func(int, []sample.Completion) error { return nil })
	}
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = cause
	}
	return text.String(), err
}

// harmless returns w, or if it is a terminal a writer to it without what would
// control it: a model may say anything. Each Write is of whole characters.
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

// samplingFlags gives cmd the flags of s and of the precision, whose values are
// the defaults.
func samplingFlags(cmd *cobra.Command, s *sample.Settings, precision *kernel.Precision) {
	flags := cmd.Flags()
	flags.Float64Var(&s.Temperature, "temperature", s.Temperature, "0: always the likeliest token")
	flags.Float64Var(&s.TopP, "top-p", s.TopP, "draw from the likeliest tokens that make up this probability")
	flags.IntVar(&s.TopK, "top-k", s.TopK, "draw from this many likeliest tokens (0: all)")
	flags.Float64Var(&s.MinP, "min-p", s.MinP, "draw from tokens with at least this share of the likeliest one's probability")
	flags.Float64Var(&s.Repetition, "repetition", 1, "penalty on tokens that came before: above 1 they become less likely")
	flags.StringArrayVar(&s.StopStrings, "stop", nil, "end an answer before this `TEXT`; may be given several times")
	flags.IntVar(&s.MaxTokens, "max-tokens", s.MaxTokens, "longest answer, in tokens")
	precisionFlag(cmd, precision)
}

// precisionFlag gives cmd the flag of the precision, whose value is the default.
func precisionFlag(cmd *cobra.Command, precision *kernel.Precision) {
	cmd.Flags().TextVar(precision, "precision", *precision, "`FORMAT` of matrix products: fp32, bf16, auto (the faster of these), or int8 (weights in a quarter of the memory)")
}
