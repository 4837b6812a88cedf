package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
)

// modelFlags holds the flags that name a model.
type modelFlags struct {
	dir, adapter string
	template     string // name of a chat template, in commands that lay out chats
}

// add adds --model and --adapter to cmd. For require they are "model|adapter".
func (m *modelFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.dir, "model", "", "`DIR` of the model, or a GGUF file, which herd converts into its cache")
	cmd.Flags().StringVar(&m.adapter, "adapter", "", "`DIR` of an adapter for the model; without --model, for the model that the adapter names")
}

// addTemplate adds --template to cmd. Every command that lays out chats has it.
func (m *modelFlags) addTemplate(cmd *cobra.Command) { templateFlag(cmd, &m.template) }

func templateFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "template", "",
		"`NAME` of a chat template to use instead of the model's own ("+strings.Join(template.Names, ", ")+")")
}

func (m modelFlags) locate() (model.Source, error) {
	dir, err := asDirectory(m.dir)
	if err != nil {
		return model.Source{}, err
	}
	return model.Locate(dir, m.adapter)
}

// digest identifies the content of the model's files and the template.
func (m modelFlags) digest() (string, error) {
	at, err := m.locate()
	if err != nil {
		return "", err
	}
	var settings any // nil without a template, to keep digests from before the setting existed
	if m.template != "" {
		settings = m.template
	}
	manifest, err := run.NewManifest("serve", settings, run.Inputs{"model": at.Dirs()})
	if err != nil {
		return "", err
	}
	return manifest.Digest, nil
}

// String returns the model's name for errors.
func (m modelFlags) String() string { return cmp.Or(m.adapter, m.dir) }
