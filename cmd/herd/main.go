// Command herd trains language models with the Llama 3 recipe: pretraining, supervised
// fine-tuning, reward models, rejection sampling and direct preference optimisation. Other
// commands prepare data and use the models.
//
// Each command has its own file. It turns flags into settings, calls one package, and prints the
// result.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/run"
)

func main() { os.Exit(execute(os.Args[1:])) }

// Exit codes; 0 is success.
const (
	exitFailed      = 1
	exitMisused     = 2   // invalid flags or arguments
	exitInterrupted = 130 // 128 + SIGINT, the shells' convention
)

// exitHelp is the part of the help that lists the exit codes.
const exitHelp = `Exit codes: 0 success, 1 the command failed, 2 a mistake on the command line, 130 a
signal stopped the command.`

func execute(args []string) int {
	root := newRootCmd()
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, args, err) })
	cmd, err := root.ExecuteContextC(context.Background())
	if err != nil {
		printError(os.Stderr, err, hint(cmd, err))
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var misuse *usageError
	var stopped *run.Interrupted
	switch {
	case err == nil:
		return 0
	case errors.As(err, &misuse):
		return exitMisused
	case errors.As(err, &stopped), errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// printError prints err and a hint. If a signal stopped the command, it prints only that, without
// the call path around it.
func printError(w io.Writer, err error, hint string) {
	text := err.Error()
	var stopped *run.Interrupted
	switch {
	case errors.As(err, &stopped):
		text = stopped.Error()
	case errors.Is(err, context.Canceled):
		text = "stopped"
	}
	if hint != "" {
		text += "\nhint: " + hint
	}
	fmt.Fprintf(w, "herd: %s\n", strings.ReplaceAll(text, "\n", "\n      "))
}
