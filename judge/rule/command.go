package rule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/judge"
)

// command runs the user's program: without a shell, in the current directory, at most as many
// at once as there are processors.
//
// The program reads one line of JSON from standard input: [commandInput]. Its exit code says
// whether the response is right (0) or wrong (1); any other code means that it could not
// judge. If the last line of its standard output is JSON, herd reads a [commandVerdict] from
// it. The program gets the variables in [environment] and those that the settings name, no
// others: responses may be code that it runs.
type command struct {
	path    string
	args    []string
	env     []string // KEY=value
	key     string
	timeout time.Duration
	running chan struct{} // a slot for each process that may run at once
}

// commandInput is the line that a command reads.
type commandInput struct {
	ID        string            `json:"id"`
	Prompt    []chat.Message    `json:"prompt"`
	Response  string            `json:"response"`
	Reference string            `json:"reference,omitempty"`
	Meta      map[string]string `json:"meta,omitempty"`
}

// environment names the variables that every command gets.
var environment = []string{
	"PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
	"SystemRoot", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP", // of Windows
}

const (
	commandTimeout = 10 * time.Second
	pipesTimeout   = time.Second // for processes that outlive the command to close its output
	maxOutput      = 64 << 10    // the last bytes of output that herd keeps
)

func newCommand(s Settings) (judge.Single, error) {
	path, err := exec.LookPath(s.Command[0])
	if err != nil {
		return nil, fmt.Errorf("command %s: %w", s.Command[0], err)
	}
	c := command{
		path: path, args: s.Command[1:], key: s.answerKey(),
		timeout: time.Duration(s.Timeout * float64(time.Second)),
		running: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	if c.timeout == 0 {
		c.timeout = commandTimeout
	}
	for _, name := range environment {
		if value, ok := os.LookupEnv(name); ok {
			c.env = append(c.env, name+"="+value)
		}
	}
	for _, name := range s.Env {
		value, ok := os.LookupEnv(name)
		if !ok {
			return nil, fmt.Errorf("env names %s, which is not set", name)
		}
		c.env = append(c.env, name+"="+value)
	}
	return c, nil
}

// Accepts implements judge.Single. It does not run the command, which may need no reference.
func (c command) Accepts(judge.Question) error { return nil }

// Verdict runs the command.
func (c command) Verdict(ctx context.Context, q judge.Question, a judge.Answer) (judge.Verdict, error) {
	reference, _ := referenceOf(q, c.key) // a command that needs one sees that it is empty
	input, err := json.Marshal(commandInput{q.ID, q.Prompt, a.Text, reference, q.Meta})
	if err != nil {
		return judge.Verdict{}, err
	}
	select {
	case c.running <- struct{}{}:
		defer func() { <-c.running }()
	case <-ctx.Done():
		return judge.Verdict{}, ctx.Err()
	}
	o, err := c.run(ctx, append(input, '\n'))
	if err != nil {
		return judge.Verdict{}, fmt.Errorf("row %s: command %s: %w", q.ID, c.path, err)
	}
	return o, nil
}

// run starts the command on an input. When its time is up, or ctx ends, run kills all processes
// of its group.
func (c command) run(ctx context.Context, input []byte) (judge.Verdict, error) {
	within, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	var output, errput tail
	cmd := exec.CommandContext(within, c.path, c.args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.env, bytes.NewReader(input), &output, &errput
	cmd.WaitDelay = pipesTimeout
	kill := inGroup(cmd)
	if err := cmd.Start(); err != nil {
		return judge.Verdict{}, err
	}
	defer kill() // processes that outlive the command
	err := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return verdictOf(true, &output, &errput)
	case ctx.Err() != nil:
		return judge.Verdict{}, ctx.Err()
	case within.Err() != nil:
		return wrong("no verdict within %v", c.timeout), nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return verdictOf(false, &output, &errput)
	}
	if last, _ := errput.lastLine(); last != "" {
		return judge.Verdict{}, fmt.Errorf("%w: %s", err, brief(last))
	}
	return judge.Verdict{}, err
}
