package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// generation holds the flags of generate.
type generation struct {
	model      modelFlags
	prompt     string
	chat, json bool
	n          int
	tools      string // file with the functions that the model may call
	schema     string // JSON Schema of the continuation, or a file with one
	logprobs   int    // number of likeliest tokens to print with each token; -1: no log-probabilities
	seed       uint64
	precision  kernel.Precision
	sample.Settings
}

func newGenerateCmd() *cobra.Command {
	g := generation{Settings: sample.Settings{TopP: 1, MaxTokens: 128}}
	cmd := &cobra.Command{
		Use:   "generate --model DIR --prompt TEXT",
		Short: "Continue a text, or answer a prompt",
		Example: `  herd generate --model base --prompt "Once upon a time"
  herd generate --model aligned --chat --prompt "Why is the sky blue?" --temperature 0.7
  herd generate --model aligned --chat --prompt "Name a bird." --json-schema '{"properties":{"bird":{"type":"string"}},"required":["bird"]}'`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if g.n < 1 || g.n > 1 && g.Temperature == 0 {
				return misuse(cmd, "-n is %d at temperature %g, expected 1, or more with a temperature above 0", g.n, g.Temperature)
			}
			if cmd.Flags().Changed("logprobs") && (g.logprobs < 0 || !g.json) {
				return misuse(cmd, "--logprobs is %d, expected 0 or more, with --json", g.logprobs)
			}
			if g.model.template != "" && !g.chat {
				return misuse(cmd, "--template needs --chat: without it the prompt is a text, not a chat")
			}
			if g.tools != "" && !g.chat {
				return misuse(cmd, "--tools needs --chat: only chats have tools")
			}
			if err := g.Validate(); err != nil {
				return misuse(cmd, "%v", err)
			}
			if err := g.readPrompt(cmd.InOrStdin()); err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return g.run(ctx, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	g.model.add(cmd)
	g.model.addTemplate(cmd)
	flags.StringVar(&g.prompt, "prompt", "", "`TEXT` to continue, or to answer with --chat; -: standard input")
	flags.BoolVar(&g.chat, "chat", false, "treat the prompt as a user's message")
	flags.BoolVar(&g.json, "json", false, "print each continuation as a line of JSON")
	flags.StringVar(&g.tools, "tools", "", "`FILE` with a JSON list of the functions that the model may call, for --chat; a call is printed as the model writes it")
	flags.StringVar(&g.schema, "json-schema", "", "`SCHEMA` in JSON, or a file with one: the continuation is JSON that it describes ('{\"type\":\"object\"}': any object)")
	flags.IntVar(&g.logprobs, "logprobs", -1, "with --json, print each token's log-probability and the `N` likeliest tokens at its position")
	flags.IntVarP(&g.n, "number", "n", 1, "number of continuations to draw")
	flags.Uint64Var(&g.seed, "seed", 0, "seed of the first continuation; each further one adds 1")
	samplingFlags(cmd, &g.Settings, &g.precision)
	require(cmd, "model|adapter", "prompt")
	return cmd
}

// readPrompt replaces the prompt "-" by standard input, without the line break at its end.
func (g *generation) readPrompt(in io.Reader) error {
	if g.prompt != "-" {
		return nil
	}
	text, err := io.ReadAll(in)
	g.prompt = strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	return err
}

func (g generation) run(ctx context.Context, w io.Writer) error {
	p, err := openPolicy(g.model, engine.Options{Slots: g.n}, g.precision, g.chat)
	if err != nil {
		return err
	}
	ids := p.Tokenizer().Prompt(g.prompt)
	if g.chat {
		tools, err := readTools(g.tools)
		if err != nil {
			return err
		}
		if ids, err = p.PromptWithTools([]chat.Message{{Role: chat.User, Content: g.prompt}}, tools); err != nil {
			return err
		}
	}
	r := p.Request(ids, g.Settings, g.seed)
	if r.Constraint, err = constraintOf(g.schema, p.Tokenizer(), ids); err != nil {
		return err
	}
	r.Continues = !g.chat && g.prompt != ""
	if g.n == 1 && !g.json {
		_, err := p.stream(ctx, harmless(w), r)
		fmt.Fprintln(w)
		return err
	}
	return g.draw(ctx, p, r, w)
}

// draw draws all continuations and prints each when it is complete.
func (g generation) draw(ctx context.Context, p answerer, r sample.Request, w io.Writer) error {
	if err := p.Check(r.Prompt); err != nil {
		return err
	}
	for i := 1; i < g.n; i++ {
		r.Seeds = append(r.Seeds, g.seed+uint64(i))
	}
	r.Detail, r.Top = g.logprobs >= 0, g.logprobs
	return p.Sampler().Generate(ctx, []sample.Request{r}, func(_ int, all []sample.Completion) error {
		for _, c := range all {
			if err := g.print(w, c, p.Tokenizer()); err != nil {
				return err
			}
		}
		return nil
	})
}

// continuation is the JSON form of a completion.
type continuation struct {
	Prompt  string     `json:"prompt"`
	Text    string     `json:"text"`
	IDs     []token.ID `json:"ids"`
	LogProb float64    `json:"logprob"` // sum over the ids and the stop token, if there is one, at temperature 1
	Finish  string     `json:"finish"`
	Seed    uint64     `json:"seed"`

	Tokens []drawn `json:"tokens,omitempty"` // with --logprobs
}

// drawn is a token of a continuation, with the likeliest tokens at its position.
type drawn struct {
	likely
	Top []likely `json:"top,omitempty"`
}

type likely struct {
	ID      token.ID `json:"id"`
	Token   string   `json:"token"`
	LogProb float64  `json:"logprob"` // at temperature 1
}

func drawnTokens(tok *tokenizer.Tokenizer, tokens []sample.Token) (list []drawn) {
	for _, t := range tokens {
		d := drawn{likely: likely{t.ID, tok.Decode([]token.ID{t.ID}), t.LogProb}}
		for _, a := range t.Top {
			d.Top = append(d.Top, likely{a.ID, tok.Decode([]token.ID{a.ID}), a.LogProb})
		}
		list = append(list, d)
	}
	return list
}

func (g generation) print(w io.Writer, c sample.Completion, tok *tokenizer.Tokenizer) error {
	if g.json {
		return jsonLines(w).Encode(continuation{
			Prompt: g.prompt, Text: c.Text, IDs: append([]token.ID{}, c.IDs...), LogProb: c.LogProb, Finish: c.Finish, Seed: c.Seed,
			Tokens: drawnTokens(tok, c.Tokens),
		})
	}
	_, err := fmt.Fprintf(harmless(w), "=== seed %d\n%s\n", c.Seed, c.Text)
	return err
}
