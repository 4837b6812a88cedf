package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/serve"
)

// serving holds the flags of serve.
type serving struct {
	models    []string // NAME=DIR or DIR
	template  string   // name of a chat template in place of the models' own
	host      string
	port      uint16
	keyEnv    string
	cache     byteSize
	precision kernel.Precision
	serve.Settings
}

func newServeCmd() *cobra.Command {
	s := serving{Settings: serve.Defaults()}
	cmd := &cobra.Command{
		Use:   "serve --model DIR",
		Short: "Serve models over HTTP with OpenAI's API, and a page to chat on",
		Long: `Serve models over HTTP with OpenAI's API, and a page to chat on. herd prints the
address. Ctrl-C waits for running answers; a second Ctrl-C stops them. herd logs each
request as a line on standard error, without prompts and answers.`,
		Example: `  herd serve --model aligned
  herd serve --model before=chatty --model after=aligned --port 9000
  curl http://127.0.0.1:8080/v1/completions -d '{"prompt": "Once upon a time", "seed": 1}'`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&s.models, "model", nil, "`DIR` of a model or adapter, or NAME=DIR; repeat the flag for more models")
	templateFlag(cmd, &s.template)
	flags.StringVar(&s.host, "host", "127.0.0.1", "`ADDRESS` to listen on (0.0.0.0: all addresses of this machine)")
	flags.Uint16Var(&s.port, "port", 8080, "port to listen on (0: any free port)")
	flags.StringVar(&s.keyEnv, "api-key-env", "", "`NAME` of the environment variable with the API key that clients must send")
	flags.StringArrayVar(&s.Origins, "allow-origin", nil, "`ORIGIN` of another page that may send requests, such as https://example.com, or * for all; you can repeat the flag")
	flags.IntVar(&s.Slots, "slots", s.Slots, "maximum number of answers that each model generates at once")
	flags.IntVar(&s.Queue, "queue", s.Queue, "maximum number of requests waiting for each model; herd refuses more with status 429")
	flags.Var(&s.cache, "cache-memory", "maximum `SIZE` of each model's key-value cache, such as 4GB (0: half of the free memory)")
	flags.IntVar(&s.PromptTokens, "max-prompt", s.PromptTokens, "maximum length of a prompt, in tokens (0: the model's context)")
	flags.IntVar(&s.AnswerTokens, "max-tokens", s.AnswerTokens, "maximum length of an answer, in tokens (0: the model's context)")
	flags.DurationVar(&s.Timeout, "timeout", s.Timeout, "maximum duration of a request")
	flags.DurationVar(&s.Grace, "grace", s.Grace, "time for running answers to finish when the server stops")
	precisionFlag(cmd, &s.precision)
	require(cmd, "model")
	return cmd
}

// run serves until a signal.
func (s *serving) run(cmd *cobra.Command) error {
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	if err := s.Validate(); err != nil {
		return misuse(cmd, "%v", err)
	}
	if err := s.readKey(cmd); err != nil {
		return err
	}
	args, err := namedModels(cmd, s.models)
	if err != nil {
		return err
	}
	// Listen before loading models, to report a port that is in use at once.
	l, err := net.Listen("tcp", net.JoinHostPort(s.host, strconv.Itoa(int(s.port))))
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	defer l.Close()
	s.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	server, err := s.load(ctx, args)
	if err != nil {
		return err
	}
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() && s.Key == "" {
		s.Log.Warn("anyone who reaches this address can send requests: set a key with --api-key-env")
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "http://%s\n", l.Addr()); err != nil {
		return err
	}
	return server.Serve(ctx, l)
}

func (s *serving) readKey(cmd *cobra.Command) error {
	if s.keyEnv == "" {
		return nil
	}
	if s.Key = os.Getenv(s.keyEnv); s.Key == "" {
		return misuse(cmd, "--api-key-env: the environment variable %s is not set", s.keyEnv)
	}
	return nil
}

// namedModel is a model directory with the name that clients use.
type namedModel struct{ name, dir string }

// namedModels parses NAME=DIR or DIR. Without NAME the last element of DIR is the name.
func namedModels(cmd *cobra.Command, args []string) (list []namedModel, err error) {
	for _, arg := range args {
		name, dir, named := strings.Cut(arg, "=")
		if !named {
			name, dir = filepath.Base(filepath.Clean(arg)), arg
		}
		if name == "" || dir == "" {
			return nil, misuse(cmd, "--model is %q, expected DIR or NAME=DIR", arg)
		}
		if slices.ContainsFunc(list, func(m namedModel) bool { return m.name == name }) {
			return nil, misuse(cmd, "two models have the name %q: rename one with --model NAME=DIR", name)
		}
		list = append(list, namedModel{name, dir})
	}
	return list, nil
}

// load loads all models.
func (s *serving) load(ctx context.Context, list []namedModel) (*serve.Server, error) {
	var models []serve.Model
	for _, n := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := s.loadModel(n)
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return serve.New(s.Settings, models...)
}

func (s *serving) loadModel(n namedModel) (m serve.Model, err error) {
	flags := modelFlags{dir: n.dir, template: s.template}
	p, err := openPolicy(flags, engine.Options{Slots: s.Slots, Memory: int64(s.cache)}, s.precision, false)
	if err != nil {
		return m, err
	}
	digest, err := flags.digest()
	if err != nil {
		return m, err
	}
	m = serve.Model{
		Name: n.name, Engine: p.Engine(), Tokenizer: p.Tokenizer(), Stop: p.Stop(),
		Context: p.Engine().Longest(), Vocab: p.Config().VocabSize, Digest: fmt.Sprintf("fp_%.16s_%s", digest, s.precision),
	}
	m.Format, m.Formless = p.Format()
	return m, nil
}
