package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/recipes"
)

const profileUsage = "profile the run: write times by operation to " + train.ProfileTable + " and " + train.ProfileCPU + " beside the model"

// newStageCmds returns a command for each kind of stage.
func newStageCmds() (cmds []*cobra.Command) {
	for _, kind := range recipes.Kinds() {
		cmds = append(cmds, newStageCmd(kind))
	}
	return cmds
}

func newStageCmd(kind *recipes.Kind) *cobra.Command {
	cmd := &cobra.Command{
		Use:     kind.Name + " [--config FILE] [--set KEY=VALUE]...",
		Short:   kind.Short,
		Long:    kind.Short + ".",
		Example: stageExample(kind),
		Args:    operands(),
	}
	addSettings(cmd, kind.Defaults())
	flags := cmd.Flags()
	file := flags.String("config", "", "`FILE` of settings in YAML, or the directory of a run to repeat, with its herd.json")
	sets := flags.StringArray("set", nil, "set one setting: `KEY=VALUE`; dots separate nested keys")
	var o recipes.StageOptions
	flags.BoolVar(&o.Resume, "resume", false, "continue a run that stopped early")
	flags.BoolVar(&o.Overwrite, "overwrite", false, "replace the contents of the output directory")
	if kind.Trains {
		flags.BoolVar(&o.Profile, "profile", false, profileUsage)
	}
	asJSON := flags.Bool("json", false, "report progress as lines of JSON")
	addPathFlags(cmd, kind.Defaults())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s := kind.Defaults()
		sets := append(config.Assignments("--set", *sets...), pathSets(cmd, s)...)
		var err error
		if info, err := os.Stat(*file); err == nil && info.IsDir() {
			*file = filepath.Join(*file, run.ManifestName)
		}
		if filepath.Base(*file) == run.ManifestName {
			err = repeat(cmd.ErrOrStderr(), filepath.Dir(*file), kind, sets, s)
		} else {
			err = config.Load(*file, sets, s)
		}
		if err != nil {
			return err
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		shown := newDisplay(cmd.OutOrStdout(), *asJSON)
		shown.begin(kind.Name)
		o.Report = shown.progress
		err = kind.Run(ctx, s, o)
		return shown.end(config.PathOf(s, config.Out).Value.String(), err)
	}
	return cmd
}

// repeat fills in the settings of the run that made a directory, and then the sets. It says what
// distinguishes the new run.
func repeat(w io.Writer, dir string, kind *recipes.Kind, sets []config.Assignment, s recipes.Settings) error {
	m, err := run.ReadManifest(dir)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, run.ManifestName)
	switch {
	case m.Stage != kind.Name:
		return fmt.Errorf("%s describes a run of %s, not of %s", name, m.Stage, kind.Name)
	case m.Settings == nil:
		return fmt.Errorf("%s stores no settings: an older herd wrote it", name)
	}
	if err := config.Load("", append(m.Assignments(name), sets...), s); err != nil {
		return err
	}
	if config.PathOf(s, config.Out).Value.IsZero() {
		return nil // the stage asks for it
	}
	now, err := s.Manifest()
	if err != nil {
		return err
	}
	for _, difference := range m.Differences(now) {
		fmt.Fprintf(w, "not the run of %s: %s\n", dir, difference)
	}
	return nil
}

// stageExample spells a typical run of a stage as a person types it.
func stageExample(kind *recipes.Kind) string {
	flags := make(map[string]string)
	for _, p := range config.Paths(kind.Defaults()) {
		flags[p.Key] = pathFlag(p)
	}
	line := "  herd " + kind.Name
	for _, setting := range kind.Example {
		key, value, _ := strings.Cut(setting, "=")
		if flag, ok := flags[key]; ok {
			line += " --" + flag + " " + value
		} else {
			line += " --set " + setting
		}
	}
	return line
}

// addPathFlags adds a flag for each setting that names files, because nearly every call sets
// them: "--data a,b" is "--set chats=[a,b]".
func addPathFlags(cmd *cobra.Command, settings any) {
	for _, p := range config.Paths(settings) {
		if p.List() {
			cmd.Flags().StringSlice(pathFlag(p), nil, pathUsage(p))
		} else {
			cmd.Flags().String(pathFlag(p), "", pathUsage(p))
		}
	}
}

// pathFlag names the flag of a path: "data" for the tables that a stage reads, else the key.
func pathFlag(p config.Path) string {
	if p.Role == config.Tables {
		return "data"
	}
	return p.Key
}

func pathUsage(p config.Path) string {
	switch {
	case p.Role == config.Tables:
		return "`TABLES` of " + p.Key + " to read"
	case p.Role == config.Adapter:
		return "`DIR` of an adapter to continue from; without --model, of the model that the adapter names"
	case p.Role == config.Out:
		return "`DIR` to write to"
	case p.Key == "model":
		return "`DIR` of the model to start from"
	}
	return "`DIR` of the " + p.Key
}

// pathSets returns the settings that the path flags on the command line assign.
func pathSets(cmd *cobra.Command, settings any) (sets []config.Assignment) {
	for _, p := range config.Paths(settings) {
		flag := pathFlag(p)
		if !cmd.Flags().Changed(flag) {
			continue
		}
		var value any = cmd.Flag(flag).Value.String()
		if p.List() {
			value, _ = cmd.Flags().GetStringSlice(flag)
		}
		sets = append(sets, config.Assignment{Text: p.Key + "=" + quote(value), Place: "--" + flag})
	}
	return sets
}

// progress shows an event of a stage.
func (d *display) progress(e recipes.Event) {
	switch {
	case e.Plan != nil:
		d.planned(*e.Plan)
	case e.Training != nil:
		d.training(*e.Training)
	case e.Sampling != nil:
		d.sampling(*e.Sampling)
	case e.Summary != nil:
		d.sampled(*e.Summary)
	}
}

// quote formats a string or a list of strings as JSON, which is also YAML, so that YAML does not
// interpret special characters of paths.
func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // strings always marshal
	}
	return string(b)
}
