package recipes

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/data/world"
	"github.com/herd-lm/herd/rejection"
)

// check validates all settings and names before the first stage begins. The error lists all that is
// wrong, a line each.
func (e *engine) check() error {
	var wrong []error
	bad := make(map[int]bool) // stages with an error
	for i := range e.Stages {
		s := e.resolve(i, e.dir)
		errs := []error{s.Settings.Validate()}
		for _, p := range config.Paths(e.Stages[i].Settings) {
			for _, path := range p.Values() {
				if p.Role != config.Out {
					errs = append(errs, wrap(p.Key, e.checkPath(i, p, path)))
				}
			}
		}
		if s, ok := s.Settings.(*rejection.Settings); ok {
			errs = append(errs, checkFiles("check.schema", s.Check.Files()))
		}
		bad[i] = errors.Join(errs...) != nil || e.readsAny(i, bad)
		if !bad[i] {
			errs = append(errs, e.checkVocabulary(i))
			bad[i] = errs[len(errs)-1] != nil
		}
		for _, err := range errs {
			if err != nil {
				wrong = append(wrong, fmt.Errorf("stage %s: %w", s.Name, err))
			}
		}
	}
	for _, t := range e.Evaluate.tables() {
		if *t.path != "" {
			wrong = append(wrong, wrap("evaluate: "+t.key, e.checkTable(*t.path)))
		}
	}
	wrong = append(wrong, checkFiles("evaluate: check.schema", e.Evaluate.Check.Files()))
	return errors.Join(wrong...)
}

// readsAny reports whether stage i reads the results of one of the stages.
func (r *Recipe) readsAny(i int, stages map[int]bool) bool {
	for _, p := range config.Paths(r.Stages[i].Settings) {
		for _, path := range p.Values() {
			if name, in := r.inRun(i, path); in && stages[r.index(name)] {
				return true
			}
		}
	}
	return false
}

func wrap(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}

func checkFiles(key string, files []string) error {
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%s: %s does not exist", key, file)
		}
	}
	return nil
}

// checkPath returns an error if there will be nothing at a path when stage i begins.
func (e *engine) checkPath(i int, p config.Path, path string) error {
	first, in := e.inRun(i, path)
	switch {
	case in && p.Role == config.Tables && first == dataDir:
		return e.checkTable(path)
	case in && first == dataDir:
		return fmt.Errorf("%s: expected a directory, but %s holds tables", path, dataDir)
	case in:
		from := e.Stages[e.index(first)]
		return cmp.Or(from.checkOutput(p, path), from.checkRole(e.Stages[i], p, path))
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("%s does not exist%s", path, e.whereElse(i, path))
	case p.Role == config.Tables && info.IsDir():
		return fmt.Errorf("%s is a directory, expected a table", path)
	}
	return nil
}

// checkTable returns an error if the data section makes no table of that name, or if there is no
// file outside the run directory.
func (e *engine) checkTable(path string) error {
	if !isData(path) {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%s does not exist%s", path, e.whereElse(len(e.Stages), path))
		}
		return nil
	}
	made := e.Data.tables()
	if slices.Contains(made, filepath.ToSlash(path)) {
		return nil
	}
	if len(made) == 0 {
		return fmt.Errorf("the recipe makes no %s: it has no data section", path)
	}
	return fmt.Errorf("the recipe makes no %s%s", path, cmp.Or(config.Suggest(filepath.ToSlash(path), made), ", only "+strings.Join(made, ", ")))
}

// tables lists the tables that the data section makes, as paths in the run directory.
func (d Data) tables() (names []string) {
	if d.hasWorld() {
		names = append(names, world.Files()...)
	}
	for _, m := range d.Import {
		if len(m.Parts) == 0 {
			names = append(names, m.Name+".arrow")
		}
		for _, p := range m.Parts {
			names = append(names, m.Name+"-"+p.Name+".arrow")
		}
	}
	for i := range names {
		names[i] = dataDir + "/" + names[i]
	}
	return names
}

// checkOutput returns an error if the stage does not write what a later one reads at path.
func (s Stage) checkOutput(p config.Path, path string) error {
	var tables []string
	switch s.Kind.Name {
	case "rejection":
		tables = []string{rejection.SamplesFile, rejection.ChatsFile, rejection.PreferencesFile}
	case "dpo":
		tables = []string{"preferences.arrow"}
	}
	for i := range tables {
		tables[i] = s.Name + "/" + tables[i]
	}
	clean := filepath.ToSlash(filepath.Clean(path))
	switch {
	case p.Role == config.Tables && !slices.Contains(tables, clean) && len(tables) == 0:
		return fmt.Errorf("%s: stage %s writes a model, no tables", path, s.Name)
	case p.Role == config.Tables && !slices.Contains(tables, clean):
		return fmt.Errorf("%s: stage %s writes %s", path, s.Name, strings.Join(tables, ", "))
	case p.Role != config.Tables && !s.Kind.Trains:
		return fmt.Errorf("%s: stage %s writes tables, no model", path, s.Name)
	case p.Role != config.Tables && clean != s.Name:
		return fmt.Errorf("%s: the model of stage %s is in %s", path, s.Name, s.Name)
	}
	return nil
}

// checkRole returns an error if reader needs a model that answers and the stage writes a reward
// model, or the reverse. A reward model on a server needs only a tokenizer here.
func (s Stage) checkRole(reader Stage, p config.Path, path string) error {
	if p.Role == config.Tables {
		return nil
	}
	scores := s.Kind.Name == "reward"
	r, samples := reader.Settings.(*rejection.Settings)
	switch {
	case p.Key == "reward" && !scores && samples && r.RemoteReward.URL == "":
		return fmt.Errorf("%s: stage %s writes no reward model", path, s.Name)
	case p.Key != "reward" && scores && reader.Kind.Name != "reward":
		return fmt.Errorf("%s: stage %s writes a reward model, which scores answers and cannot write them", path, s.Name)
	}
	return nil
}

func (r *Recipe) index(stage string) int {
	return slices.IndexFunc(r.Stages, func(s Stage) bool { return s.Name == stage })
}

// whereElse says what a path that does not exist could mean: a stage that comes later or has a
// similar name, or a file in the working directory.
func (r *Recipe) whereElse(i int, path string) string {
	as := path
	if r.folder != "" {
		if rel, err := filepath.Rel(r.folder, path); err == nil {
			as = rel
		}
	}
	first, _, _ := strings.Cut(filepath.ToSlash(as), "/")
	var earlier []string
	for k, s := range r.Stages {
		if s.Name == first && k >= i {
			return fmt.Sprintf(": stage %s is not before this one", first)
		}
		if k < i {
			earlier = append(earlier, s.Name)
		}
	}
	if _, err := os.Stat(as); err == nil && as != path {
		return fmt.Sprintf(": paths in a recipe are relative to its file, and %s is in the working directory", as)
	}
	if !filepath.IsAbs(as) {
		return config.Suggest(first, earlier)
	}
	return ""
}
