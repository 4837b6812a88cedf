package check

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
)

// command asks a program of the user's. It runs without a shell, in the current
// directory, as often at once as there are processors.
//
// Its standard input is one line of JSON: [commandInput]. It says by its exit code
// whether the response is right (0) or wrong (1); any other means that it could
// not judge. If the last line of its standard output is JSON, that says more:
// [commandVerdict]. It gets [environment] and the variables that the settings name,
// no others: responses may be code, and it may run them.
type command struct {
	path    string
	args    []string
	env     []string // KEY=value
	key     string
	timeout time.Duration
	running chan struct{} // as many as may run at once
}

// commandInput is what a command reads.
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
	pipesTimeout   = time.Second // for what a command has left running to close its output
	maxOutput      = 64 << 10    // bytes of output that are kept: the last
)

func newCommand(s Settings) (Checker, error) {
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

func (c command) Check(ctx context.Context, q Question, response string) (Outcome, error) {
	reference, _ := q.reference(c.key) // who needs one sees that there is none
	input, err := json.Marshal(commandInput{q.ID, q.Prompt, response, reference, q.Meta})
	if err != nil {
		return Outcome{}, err
	}
	select {
	case c.running <- struct{}{}:
		defer func() { <-c.running }()
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
	o, err := c.run(ctx, append(input, '\n'))
	if err != nil {
		return Outcome{}, fmt.Errorf("row %s: command %s: %w", q.ID, c.path, err)
	}
	return o, nil
}

// run starts the command on an input. When its time is over, or ctx is, all
// processes of its group are killed.
func (c command) run(ctx context.Context, input []byte) (Outcome, error) {
	within, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	var output, errput tail
	cmd := exec.CommandContext(within, c.path, c.args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.env, bytes.NewReader(input), &output, &errput
	cmd.WaitDelay = pipesTimeout
	kill := inGroup(cmd)
	if err := cmd.Start(); err != nil {
		return Outcome{}, err
	}
	defer kill() // what the command has left running
	err := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return verdict(true, &output, &errput)
	case ctx.Err() != nil:
		return Outcome{}, ctx.Err()
	case within.Err() != nil:
		return wrong("no verdict within %v", c.timeout), nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return verdict(false, &output, &errput)
	}
	if last, _ := errput.lastLine(); last != "" {
		return Outcome{}, fmt.Errorf("%w: %s", err, brief(last))
	}
	return Outcome{}, err
}
