package recipes

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/run"
)

// Replaces reports that a recipe would replace results that other settings or data made, and that
// Options.Overwrite is not set. herd has written nothing.
type Replaces struct {
	Dir    string
	Stages []Changed
	Later  []string // names of finished stages that read the results of Stages
}

// Changed is a stage, or the data section, of which the run directory holds other results.
type Changed struct {
	Stage   string
	Holds   string   // "a run that stopped after step 7"; "" for finished results
	Changes []string // what differs: "seed was 3 and is 4"
}

func (e *Replaces) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s holds results of other settings or data:", e.Dir)
	for _, c := range e.Stages {
		fmt.Fprintf(&b, "\n%s", c.Stage)
		if c.Holds != "" {
			fmt.Fprintf(&b, " (%s)", c.Holds)
		}
		fmt.Fprintf(&b, ": %s", strings.Join(c.Changes, ", "))
	}
	if len(e.Later) > 0 {
		fmt.Fprintf(&b, "\nstages that read these results: %s", strings.Join(e.Later, ", "))
	}
	b.WriteString("\nuse the same settings and data, choose another directory, or overwrite the results")
	return b.String()
}

// survey compares what the run directory holds with what the recipe would make.
type survey struct {
	*engine
	found  Replaces
	remade map[string]bool // stages, and "data", whose results the run writes
}

// checkFinished returns a *Replaces if the run would replace results. It computes the manifests of
// the finished stages on the way.
func (e *engine) checkFinished() error {
	v := survey{engine: e, found: Replaces{Dir: e.dir}, remade: make(map[string]bool)}
	if err := v.data(); err != nil {
		return err
	}
	for i := range e.Stages {
		if err := v.stage(i); err != nil {
			return fmt.Errorf("stage %s: %w", e.Stages[i].Name, err)
		}
	}
	if len(v.found.Stages) == 0 || e.overwrite {
		return nil
	}
	return &v.found
}

func (v *survey) data() (err error) {
	if v.made, err = v.dataManifest(); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	there, err := manifestIn(filepath.Join(v.dir, dataDir))
	switch {
	case err != nil && v.overwrite:
		v.remade[dataDir] = true
	case err != nil:
		return fmt.Errorf("data: %w", err)
	case there == nil:
		v.remade[dataDir] = true
	case there.Digest != v.made.Digest:
		v.changed(Changed{Stage: dataDir, Changes: there.Differences(v.made)})
	}
	return nil
}

func (v *survey) changed(c Changed) {
	v.found.Stages = append(v.found.Stages, c)
	v.remade[c.Stage] = true
}

func (v *survey) stage(i int) error {
	s := v.resolve(i, v.dir)
	there, err := manifestIn(s.out())
	if err != nil {
		return err
	}
	if v.readsRemade(i) {
		return v.later(s, there)
	}
	m, err := s.Settings.Manifest()
	if err != nil {
		return err
	}
	v.manifests[i] = m
	switch {
	case there == nil:
		left, err := s.Kind.there(s.Settings, m)
		if err != nil {
			return err // a run that cannot be read is not replaced in silence
		}
		v.remade[s.Name] = true
		if left.Differs {
			v.changed(Changed{s.Name, left.Holds, []string{left.Changes}})
		}
	case there.Digest != m.Digest:
		v.changed(Changed{Stage: s.Name, Changes: there.Differences(m)})
	}
	return nil
}

// later notes a stage whose inputs are not all there: its settings are all that can be compared.
func (v *survey) later(s Stage, there *run.Manifest) error {
	v.remade[s.Name] = true
	if there == nil {
		return nil
	}
	changes, err := changedSettings(s, there)
	if len(changes) > 0 {
		v.changed(Changed{Stage: s.Name, Changes: changes})
	} else {
		v.found.Later = append(v.found.Later, s.Name)
	}
	return err
}

// changedSettings compares the settings that affected a result with those of the stage.
func changedSettings(s Stage, there *run.Manifest) (changes []string, err error) {
	if there.Stage != s.Kind.Name {
		return []string{fmt.Sprintf("the stage was %s and is %s", there.Stage, s.Kind.Name)}, nil
	}
	now, err := config.RecordOf(s.Settings, s.Settings)
	for _, key := range slices.Sorted(maps.Keys(there.Settings)) {
		if was, is := string(there.Settings[key]), string(now.Settings[key]); is != "" && was != is {
			changes = append(changes, fmt.Sprintf("%s was %s and is %s", key, was, is))
		}
	}
	return changes, err
}

// readsRemade reports whether stage i reads results that the run writes.
func (v *survey) readsRemade(i int) bool {
	for _, p := range config.Paths(v.Stages[i].Settings) {
		for _, path := range p.Values() {
			if name, in := v.inRun(i, path); in && v.remade[name] {
				return true
			}
		}
	}
	return false
}

// manifestIn returns the manifest in dir, nil if there is none.
func manifestIn(dir string) (*run.Manifest, error) {
	m, err := run.ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return m, err
}

// mayReplace returns a *Replaces if a stage would replace finished results of its directory: of
// two stages, the first can have another outcome than when the second read it.
func (e *engine) mayReplace(s Stage, m run.Manifest) error {
	there, err := manifestIn(s.out())
	if err != nil || there == nil || there.Digest == m.Digest || e.overwrite {
		return err
	}
	return &Replaces{Dir: e.dir, Stages: []Changed{{Stage: s.Name, Changes: there.Differences(m)}}}
}
