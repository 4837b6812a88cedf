package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/run"
)

// hint returns what the user can do about an error of cmd, in terms of its flags; "" if
// there is nothing to add. Packages speak of settings and states, because programs that
// use them have no flags.
func hint(cmd *cobra.Command, err error) string {
	if cmd == nil {
		return ""
	}
	has := func(flag string) bool { return cmd.Flag(flag) != nil }
	var occupied *run.Occupied
	switch {
	case errors.As(err, new(*run.Interrupted)) && has("resume"):
		return "the same command with --resume continues the run"
	case errors.As(err, new(*run.Interrupted)):
		return "the same command continues the run"
	case errors.As(err, &occupied) && has("overwrite"):
		if occupied.Resumable && !occupied.Differs {
			return "--resume continues the run, --overwrite replaces it"
		}
		return "--overwrite replaces it"
	}
	return ""
}
