package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
)

// modelFlags says which model a command uses.
type modelFlags struct {
	dir, adapter string
	template     string // of a command that lays out chats
}

// add gives cmd --model and --adapter, of which require wants "model|adapter".
func (m *modelFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.dir, "model", "", "`DIR` of the model")
	cmd.Flags().StringVar(&m.adapter, "adapter", "", "`DIR` of an adapter beside the model, or beside the one that it names")
}

// addTemplate gives cmd --template: each command that lays out chats has it.
func (m *modelFlags) addTemplate(cmd *cobra.Command) { templateFlag(cmd, &m.template) }

func templateFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "template", "",
		"`NAME` of a chat template in place of the model's ("+strings.Join(template.Names, ", ")+")")
}

func (m modelFlags) locate() (model.Source, error) { return model.Locate(m.dir, m.adapter) }

// digest identifies the content of the model's files.
func (m modelFlags) digest() (string, error) {
	at, err := m.locate()
	if err != nil {
		return "", err
	}
	var settings any // of answers; nil where there are none, as before there was a template
	if m.template != "" {
		settings = m.template
	}
	manifest, err := run.NewManifest("serve", settings, run.Inputs{"model": at.Dirs()})
	if err != nil {
		return "", err
	}
	return manifest.Digest, nil
}

// String is what to call the model in errors.
func (m modelFlags) String() string { return cmp.Or(m.adapter, m.dir) }
