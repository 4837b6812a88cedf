package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/recipes"
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
	var missing *recipes.MissingInputs
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
	case errors.As(err, &missing) && has("set"):
		return "set them: " + settingInputs(cmd, missing.Inputs)
	}
	return ""
}

// settingInputs returns the command line that gives a recipe its inputs, besides what it sets
// already.
func settingInputs(cmd *cobra.Command, inputs []recipes.Input) string {
	line := cmd.CommandPath() + " " + strings.Join(cmd.Flags().Args(), " ")
	sets, _ := cmd.Flags().GetStringArray("set")
	for _, set := range sets {
		line += " --set " + set
	}
	for _, in := range inputs {
		line += " --set " + in.Key + "=[FILE,...]"
	}
	return line
}
