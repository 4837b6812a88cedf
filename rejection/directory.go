package rejection

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/run"
)

// The files that the stage writes to its directory.
const (
	SamplesFile     = "samples.arrow"     // every prompt with all its candidates and their scores
	ChatsFile       = "chats.arrow"       // the picked responses, for supervised fine-tuning
	PreferencesFile = "preferences.arrow" // best against worst, for preference optimisation
	ReportFile      = "report.html"       // report on the samples, for reading
	ReportJSONFile  = "report.json"       // the same report for programs
)

// claimDir takes the output directory for this run.
func (r *session) claimDir() (err error) {
	r.claim, err = run.ClaimDir(r.Out, r.Mode, func() (run.Contents, error) { return inspect(r.Out, r.identity) })
	return err
}

// inspect returns what dir holds, for a run with the identity.
func inspect(dir string, now identity) (run.Contents, error) {
	there, err := storedIdentity(dir)
	if err != nil {
		return run.Contents{}, err
	}
	_, err = os.Stat(filepath.Join(dir, run.ManifestName))
	finished := err == nil
	switch {
	case there == nil && finished:
		return run.Contents{Holds: "the output of another stage"}, nil
	case there == nil:
		return run.Contents{}, nil
	}
	c := run.Contents{Holds: "a run that stopped early", Resumable: true}
	if finished {
		c.Holds = "a finished run"
	}
	if c.Differs = there.digest() != now.digest(); c.Differs {
		c.Changes = there.differs(now)
	}
	return c, nil
}

// begin prepares the directory for parts.
func (r *session) begin() error {
	if r.Overwrite && !r.claim.Resumed {
		// The manifest goes first: a half-removed run must not look finished.
		for _, name := range []string{run.ManifestName, filepath.Base(partsDir(r.Out)), SamplesFile} {
			if err := os.RemoveAll(filepath.Join(r.Out, name)); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(partsDir(r.Out), 0o777); err != nil {
		return err
	}
	if err := removeTemporary(r.Out); err != nil {
		return err
	}
	text, err := json.Marshal(r.identity)
	r.manifest.Extra = map[string]json.RawMessage{extraIdentity: text}
	return errors.Join(err, r.identity.write(r.Out))
}

const identityName = "sampling.json"

// extraIdentity is the key of the identity in the manifest.
const extraIdentity = "sampling"

// write puts the identity beside the parts that have it.
func (id identity) write(dir string) error {
	return disk.WriteFile(filepath.Join(partsDir(dir), identityName), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(id)
	})
}

// storedIdentity returns the identity of the samples in an output directory: of an unfinished run
// if there is one, otherwise of a finished run. It returns nil if there are no samples.
func storedIdentity(dir string) (identity, error) {
	var id identity
	path := filepath.Join(partsDir(dir), identityName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, run.ManifestName)
		m, err := run.ReadManifest(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if text = m.Extra[extraIdentity]; text == nil {
			return nil, nil
		}
	} else if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &id); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

// removeTemporary removes the files that a killed process was writing.
func removeTemporary(dir string) error {
	var errs []error
	for _, pattern := range []string{
		filepath.Join(partsDir(dir), ".*"),
		filepath.Join(dir, ".samples.*"), filepath.Join(dir, ".chats.*"), filepath.Join(dir, ".preferences.*"),
		filepath.Join(dir, ".report.*"), filepath.Join(dir, ".herd.json.*"),
	} {
		left, err := filepath.Glob(pattern)
		errs = append(errs, err)
		for _, path := range left {
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}

// Unfinished returns what dir holds of a run that stopped early, or the samples of a finished run:
// a run with the manifest can continue from both if it would draw the same samples. It returns an
// error if it cannot read the identity of the samples.
func Unfinished(dir string, s Settings, m run.Manifest) (run.Contents, error) {
	c, err := inspect(dir, s.identify(m.Inputs))
	if err != nil || !c.Resumable {
		return run.Contents{}, err
	}
	return c, nil
}
