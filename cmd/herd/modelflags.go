package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
)

// modelFlags says which model a command uses.
type modelFlags struct{ dir, adapter string }

// add gives cmd --model and --adapter, of which require wants "model|adapter".
func (m *modelFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.dir, "model", "", "`DIR` of the model")
	cmd.Flags().StringVar(&m.adapter, "adapter", "", "`DIR` of an adapter beside the model, or beside the one that it names")
}

func (m modelFlags) locate() (model.Source, error) { return model.Locate(m.dir, m.adapter) }

// digest identifies the content of the model's files.
func (m modelFlags) digest() (string, error) {
	at, err := m.locate()
	if err != nil {
		return "", err
	}
	manifest, err := run.NewManifest("serve", nil, run.Inputs{"model": at.Dirs()})
	if err != nil {
		return "", err
	}
	return manifest.Digest, nil
}

// String is what to call the model in errors.
func (m modelFlags) String() string { return cmp.Or(m.adapter, m.dir) }
