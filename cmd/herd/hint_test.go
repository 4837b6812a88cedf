package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/data/table"
)

// TestHint: a hint names only flags that the command has, however deep the error lies.
func TestHint(t *testing.T) {
	command := func(flags ...string) *cobra.Command {
		cmd := &cobra.Command{}
		for _, name := range flags {
			cmd.Flags().String(name, "", "")
		}
		return cmd
	}
	stopped := &run.Interrupted{Dir: "out", Step: 1, Steps: 2}
	occupied := func(c run.Contents) error { return &run.Occupied{Dir: "out", Contents: c} }
	for _, c := range []struct {
		cmd  *cobra.Command
		err  error
		want string
	}{
		{command("resume", "overwrite"), stopped, "repeat the command with --resume to continue the run"},
		{command(), stopped, "repeat the command to continue the run"},
		{command("resume", "overwrite"), occupied(run.Contents{Resumable: true}), "continue the run with --resume, or replace it with --overwrite"},
		{command("resume", "overwrite"), occupied(run.Contents{Resumable: true, Differs: true}), "replace it with --overwrite"},
		{command("resume", "overwrite"), occupied(run.Contents{}), "replace it with --overwrite"},
		{command(), occupied(run.Contents{}), ""},
		{command("model"), &model.NoBase{Adapter: "a"}, ""},
		{command("model", "adapter"), &model.NoBase{Adapter: "a"}, "name the directory of the model: --model DIR --adapter a"},
		{command("set"), &template.TurnByTurn{Err: &template.Dropped{}}, "learn each turn with its reasoning (--set reasoning=learn) or behind it (--set reasoning=mask)"},
		{command("reasoning"), &template.TurnByTurn{Err: &template.Dropped{}}, "show what --reasoning learn or --reasoning mask learns"},
		{command("set"), &template.Dropped{}, "learn what is left with --set allow_dropped=true"},
		{command(), &template.Dropped{}, ""},
		{command(), table.ErrNotArrow, "import JSON, JSONL or text as a table with herd data import"},
		{command("resume"), errors.New("no such file"), ""},
		{nil, stopped, ""},
	} {
		if got := hint(c.cmd, fmt.Errorf("recipe x: %w", c.err)); got != c.want {
			t.Errorf("%v: hint %q, want %q", c.err, got, c.want)
		}
	}
	var out bytes.Buffer
	printError(&out, errors.New("one\ntwo"), "--three")
	if got, want := out.String(), "herd: one\n      two\n      hint: --three\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
