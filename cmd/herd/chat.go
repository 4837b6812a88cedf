package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

func newChatCmd() *cobra.Command {
	var system string
	var m modelFlags
	var precision kernel.Precision
	c := conversation{Settings: sample.Settings{Temperature: 0.7, TopP: 0.9, MaxTokens: 512}}
	cmd := &cobra.Command{
		Use:   "chat --model DIR",
		Short: "Talk to a model",
		Long: `Talk to a model. Each line that you type is a message. /reset starts a new
conversation, /exit or Ctrl-D leaves. Ctrl-C stops an answer, or leaves if there is
none. If input comes from a pipe, the model answers each line.`,
		Example: "  herd chat --model aligned --system \"Answer briefly.\"",
		Args:    operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.Validate(); err != nil {
				return misuse(cmd, "%v", err)
			}
			var err error
			if c.answerer, err = openPolicy(m, engine.Options{Slots: 1}, precision, true); err != nil {
				return err
			}
			if system != "" {
				c.system = []chat.Message{{Role: chat.System, Content: system}}
			}
			return c.run(cmd.Context(), newPrompter(cmd.InOrStdin(), cmd.OutOrStdout()), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	m.add(cmd)
	m.addTemplate(cmd)
	flags.StringVar(&system, "system", "", "`TEXT` of a system message at the start")
	flags.Uint64Var(&c.seed, "seed", 0, "seed of the first answer; each further one adds 1")
	samplingFlags(cmd, &c.Settings, &precision)
	require(cmd, "model|adapter")
	return cmd
}

// conversation is a chat in progress.
type conversation struct {
	answerer
	sample.Settings
	system   []chat.Message // empty, or one message that stays
	messages []chat.Message // turns of user and assistant
	seed     uint64
}

// run answers lines until the input ends.
func (c *conversation) run(ctx context.Context, in prompter, out io.Writer) error {
	in.greet("/reset starts a new conversation, /exit or Ctrl-D leaves, Ctrl-C stops an answer.")
	for {
		line, err := in.ReadLine()
		if err == io.EOF {
			in.greet("")
			return nil
		}
		if err != nil {
			return fmt.Errorf("chat: %w", err)
		}
		switch strings.TrimSpace(line) {
		case "":
		case "/exit":
			return nil
		case "/reset":
			c.messages = nil
			in.greet("A new conversation.")
		default:
			if err := c.turn(ctx, line, in, out); err != nil {
				return err
			}
		}
	}
}

// turn answers a message. Ctrl-C stops the answer. If input comes from a pipe, it ends the
// conversation too.
func (c *conversation) turn(ctx context.Context, message string, in prompter, out io.Writer) error {
	c.messages = append(c.messages, chat.Message{Role: chat.User, Content: message})
	prompt, err := c.prompt(in)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	answer, err := c.stream(ctx, harmless(out), c.Request(prompt, c.Settings, c.seed))
	fmt.Fprintln(out)
	if ctx.Err() != nil && in.person() {
		err = nil
	}
	c.seed++
	c.messages = append(c.messages, chat.Message{Role: chat.Assistant, Content: answer})
	return err
}

// prompt returns the conversation as tokens. It drops the oldest turns until there is room for
// an answer.
func (c *conversation) prompt(in prompter) ([]token.ID, error) {
	room := min(c.MaxTokens, c.Config().Context()/4)
	for {
		ids, err := c.Prompt(append(c.system[:len(c.system):len(c.system)], c.messages...))
		if err != nil || len(c.messages) == 1 || len(ids)+room <= c.Config().Context() {
			return ids, err
		}
		c.messages = c.messages[2:]
		in.greet("(The oldest turn no longer fits: herd dropped it.)")
	}
}

// prompter reads the messages of a conversation.
type prompter interface {
	ReadLine() (string, error) // io.EOF at the end
	greet(text string)         // prints a note if a person is there
	person() bool              // whether a person sits at a terminal
}

// newPrompter returns a prompter with line editing and history if a person sits at a terminal,
// and a plain reader otherwise.
func newPrompter(in io.Reader, out io.Writer) prompter {
	f, ok := in.(*os.File)
	if !ok || !isTerminal(in) || !isTerminal(out) {
		return piped{bufio.NewReader(in)}
	}
	screen := struct {
		io.Reader
		io.Writer
	}{in, out}
	return &keyboard{term.NewTerminal(screen, "> "), int(f.Fd()), out}
}

type piped struct{ *bufio.Reader }

func (p piped) ReadLine() (string, error) {
	line, err := p.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}

func (piped) greet(string) {}
func (piped) person() bool { return false }

// keyboard puts the terminal into raw mode only while it reads a line, so that Ctrl-C is a
// signal at all other times.
type keyboard struct {
	*term.Terminal
	fd  int
	out io.Writer
}

// ReadLine reads a line. It returns io.EOF for Ctrl-C and Ctrl-D.
func (k *keyboard) ReadLine() (string, error) {
	before, err := term.MakeRaw(k.fd)
	if err != nil {
		return "", err
	}
	defer term.Restore(k.fd, before)
	if width, height, err := term.GetSize(k.fd); err == nil && width > 0 {
		k.SetSize(width, height)
	}
	return k.Terminal.ReadLine()
}

func (k *keyboard) greet(text string) { fmt.Fprintln(k.out, text) }
func (k *keyboard) person() bool      { return true }
