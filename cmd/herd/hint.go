package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/weights/convert"
	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/recipes"
)

// hint tells the user what to do about an error of cmd, in terms of its flags; "" if there is
// nothing to add. Errors of packages name settings, because programs that import the packages
// have no flags.
func hint(cmd *cobra.Command, err error) string {
	if cmd == nil {
		return ""
	}
	has := func(flag string) bool { return cmd.Flag(flag) != nil }
	var occupied *run.Occupied
	var missing *recipes.MissingInputs
	var noBase *model.NoBase
	var noModel *model.NoModel
	var path *fs.PathError
	switch {
	case errors.As(err, new(*run.Interrupted)) && has("resume"):
		return "repeat the command with --resume to continue the run"
	case errors.As(err, new(*run.Interrupted)):
		return "repeat the command to continue the run"
	case errors.As(err, &occupied) && has("overwrite"):
		if occupied.Resumable && !occupied.Differs {
			return "continue the run with --resume, or replace it with --overwrite"
		}
		return "replace it with --overwrite"
	case errors.As(err, new(*recipes.Replaces)):
		return "keep these results and write to another directory with --out DIR, or replace them with --overwrite"
	case errors.As(err, new(*format.Exists)) && has("overwrite"):
		return "replace it with --overwrite"
	case errors.As(err, &missing) && has("set"):
		return "set them: " + settingInputs(cmd, missing.Inputs)
	case errors.As(err, &noBase) && has("model") && has("adapter"):
		return "name the directory of the model: --model DIR --adapter " + noBase.Adapter
	case errors.As(err, &noModel):
		return findingModel(noModel)
	case errors.As(err, &path) && has("model") && path.Path == cmd.Flag("model").Value.String():
		return findingModel(&model.NoModel{Path: path.Path})
	case errors.As(err, new(*model.OtherAdapter)):
		return "merge the adapter into its model with herd model merge"
	case errors.As(err, new(*convert.NoTokenizer)) && has("tokenizer"):
		return "name a tokenizer with --tokenizer"
	case errors.As(err, new(*template.TurnByTurn)) && has("set"):
		return "learn each turn with its reasoning (--set reasoning=learn) or behind it (--set reasoning=mask)"
	case errors.As(err, new(*template.TurnByTurn)) && has("reasoning"):
		return "show what --reasoning learn or --reasoning mask learns"
	case errors.As(err, new(*template.Dropped)) && has("set"):
		return "learn what is left with --set allow_dropped=true"
	case errors.Is(err, table.ErrNotArrow):
		return "import JSON, JSONL or text as a table with herd data import"
	}
	return ""
}

// hubName is a name of a model on the Hugging Face hub: "meta-llama/Llama-3.2-1B".
var hubName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)

// findingModel says how to get a model directory from what the user named in its place.
func findingModel(e *model.NoModel) string {
	switch {
	case model.IsAdapter(e.Path):
		return "make a model of it with herd model merge BASE " + e.Path + " OUT"
	case e.File:
		return "make a directory of it with herd model convert " + e.Path + " DIR"
	case hubName.MatchString(filepath.ToSlash(e.Path)):
		return fmt.Sprintf("herd downloads no models: if this is the name of a model on Hugging Face, download it first (hf download %s --local-dir DIR) and name DIR", e.Path)
	}
	return ""
}

// program returns how the user can start herd again: as now, or with go run, whose program is
// gone when it ends.
func program() string {
	self := os.Args[0]
	if strings.Contains(filepath.ToSlash(self), "/go-build") {
		return "go run ./cmd/herd"
	}
	return self
}

// settingInputs returns the user's command line, completed with a --set for each missing input.
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
