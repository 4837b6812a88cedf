package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
)

// stage is a command that runs one of the five stages, whose settings are S.
type stage[S any] struct {
	name, short, example string
	defaults             S
	paths                []pathFlag
	trains               bool // by the training loop, which can be profiled
	run                  func(context.Context, S, conduct) error
	wrote                func(S) string // what to say is there at the end
}

// pathFlag is a setting that names files and is a flag, because nearly every
// call has it: "--data a,b" is "--set chats=[a,b]".
type pathFlag struct {
	flag, setting, usage string
	list                 bool
}

func modelFlag(usage string) pathFlag {
	return pathFlag{flag: "model", setting: "model", usage: usage}
}

var adapterFlag = pathFlag{flag: "adapter", setting: "adapter", usage: "`DIR` of an adapter beside the model, or beside the one that it names"}

func dataFlag(setting, usage string) pathFlag {
	return pathFlag{flag: "data", setting: setting, usage: usage, list: true}
}

func outFlag(usage string) pathFlag { return pathFlag{flag: "out", setting: "out", usage: usage} }

// conduct is how a stage is run, whatever its settings.
type conduct struct {
	run.Mode
	profile bool
	display *display
}

func (c conduct) train() train.Options {
	return train.Options{Mode: c.Mode, Profile: c.profile, Announce: c.display.planned, Report: c.display.training}
}

const profileUsage = "write what the time goes into to " + train.ProfileTable + " and " + train.ProfileCPU + " beside the model"

func newStageCmd[S any](d stage[S]) *cobra.Command {
	cmd := &cobra.Command{
		Use:     d.name + " [--config FILE] [--set KEY=VALUE]...",
		Short:   d.short,
		Long:    d.short + ".\n\nSettings, for --set and the YAML file, with their defaults:" + listSettings(d.defaults),
		Example: d.example,
		Args:    operands(),
	}
	flags := cmd.Flags()
	file := flags.String("config", "", "`FILE` of settings in YAML")
	sets := flags.StringArray("set", nil, "set one setting: `KEY=VALUE`, where a.b=c is c for b in a")
	var mode run.Mode
	flags.BoolVar(&mode.Resume, "resume", false, "go on with a run that was stopped")
	flags.BoolVar(&mode.Overwrite, "overwrite", false, "replace what the directory holds")
	profile := new(bool)
	if d.trains {
		flags.BoolVar(profile, "profile", false, profileUsage)
	}
	asJSON := flags.Bool("json", false, "report progress as lines of JSON")
	for _, p := range d.paths {
		p.add(cmd)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s := d.defaults
		if err := config.Load(*file, append(config.Assignments("--set", *sets...), pathSets(cmd, d.paths)...), &s); err != nil {
			return err
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		shown := newDisplay(cmd.OutOrStdout(), *asJSON)
		shown.begin(d.name)
		err := d.run(ctx, s, conduct{mode, *profile, shown})
		return shown.end(d.wrote(s), err)
	}
	return cmd
}

func (p pathFlag) add(cmd *cobra.Command) {
	if p.list {
		cmd.Flags().StringSlice(p.flag, nil, p.usage)
	} else {
		cmd.Flags().String(p.flag, "", p.usage)
	}
}

// pathSets returns what the path flags assign that are given.
func pathSets(cmd *cobra.Command, paths []pathFlag) (sets []config.Assignment) {
	for _, p := range paths {
		if !cmd.Flags().Changed(p.flag) {
			continue
		}
		var value any = cmd.Flag(p.flag).Value.String()
		if p.list {
			value, _ = cmd.Flags().GetStringSlice(p.flag)
		}
		sets = append(sets, config.Assignment{Text: p.setting + "=" + quote(value), Place: "--" + p.flag})
	}
	return sets
}

// quote writes a string or list of strings in YAML, of which JSON is a part, so
// that no path means anything else there.
func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // strings always marshal
	}
	return string(b)
}
