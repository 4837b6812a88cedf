package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/disk"
)

const (
	ManifestName    = disk.Marker
	ManifestVersion = 1
)

// Manifest says what made an output directory; it is the content of herd.json there. Digests
// are results of DigestFile and DigestJSON. An empty digest is unknown, or stands for
// something that does not exist.
type Manifest struct {
	Version   int                        `json:"version"`          // of the manifest's format
	Stage     string                     `json:"stage"`            // "pretrain", "sft", ...
	Step      int                        `json:"step"`             // optimiser steps done
	Digest    string                     `json:"digest"`           // of everything that determined the result: settings and inputs
	Inputs    map[string]string          `json:"inputs,omitempty"` // name of each input -> its digest
	Model     string                     `json:"model,omitempty"`  // digest of the weights
	Tokenizer string                     `json:"tokenizer,omitempty"`
	Template  string                     `json:"template,omitempty"` // digest of the chat template
	Created   time.Time                  `json:"created,omitzero"`
	Herd      string                     `json:"herd"`            // version of the program
	Extra     map[string]json.RawMessage `json:"extra,omitempty"` // known to the stage alone

	config.Record // all settings of the run; empty if an older herd made the directory

	files map[string]string // name of each input -> its path; not stored
}

// ReadManifest reads the manifest of a directory. Unknown keys are an error, and so is a
// manifest in a newer format. The error is os.ErrNotExist if there is no manifest.
func ReadManifest(dir string) (*Manifest, error) {
	if err := disk.Recover(dir); err != nil {
		return nil, err
	}
	path, m := filepath.Join(dir, ManifestName), &Manifest{}
	if err := disk.ReadJSON(path, m); err != nil {
		return nil, err
	}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Finished reports whether dir holds the outcome of a run with the digest.
func Finished(dir, digest string) (bool, error) {
	m, err := ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return m.Digest == digest, nil
}

// WriteManifest writes the manifest of a directory. A Version of 0 becomes ManifestVersion.
func WriteManifest(dir string, m Manifest) error {
	path := filepath.Join(dir, ManifestName)
	if m.Version == 0 {
		m.Version = ManifestVersion
	}
	if err := m.validate(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return disk.WriteJSON(path, m)
}

func (m *Manifest) validate() error {
	switch {
	case m.Version > ManifestVersion:
		return fmt.Errorf("version %d is newer than this program's %d: use a newer herd", m.Version, ManifestVersion)
	case m.Version != ManifestVersion:
		return fmt.Errorf("version is %d, want %d", m.Version, ManifestVersion)
	case m.Stage == "":
		return errors.New("no stage")
	case m.Step < 0:
		return fmt.Errorf("step is %d, want 0 or more", m.Step)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Inputs)) {
		if name == "" || m.Inputs[name] == "" {
			return fmt.Errorf("input %q has digest %q, want both", name, m.Inputs[name])
		}
	}
	return nil
}
