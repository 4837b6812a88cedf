package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/weights/convert"
	"github.com/herd-lm/herd/data/table"
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
	var noBase *model.NoBase
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
	case errors.As(err, &noBase) && has("model") && has("adapter"):
		return "say where the model is with --model DIR --adapter " + noBase.Adapter
	case errors.As(err, new(*model.OtherAdapter)):
		return "herd model merge merges an adapter into its model"
	case errors.As(err, new(*convert.NoTokenizer)) && has("tokenizer"):
		return "--tokenizer names a tokenizer to use"
	case errors.Is(err, table.ErrNotArrow):
		return "herd data import makes a table out of JSON, JSONL or text"
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
