package recipes

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/judge/rule"
	"github.com/herd-lm/herd/rejection"
)

// mapFiles replaces every path of the recipe that lies outside the run directory by what change
// returns for it: files to import, models, adapters and tables of stages, tables to measure on, and
// schemas of rules.
func (r *Recipe) mapFiles(change func(path string) string) {
	schema := func(s *rule.Settings) { *s = s.WithFiles(change) }
	for i := range r.Data.Import {
		files := slices.Clone(r.Data.Import[i].Files)
		for k := range files {
			files[k] = change(files[k])
		}
		r.Data.Import[i].Files = files
	}
	for i := range r.Stages {
		for _, p := range config.Paths(r.Stages[i].Settings) {
			if p.Role == config.Out {
				continue
			}
			p.Map(func(path string) string {
				if _, in := r.inRun(i, path); in {
					return path
				}
				return change(path)
			})
		}
		if s, ok := r.Stages[i].Settings.(*rejection.Settings); ok {
			schema(&s.Check)
		}
	}
	for _, table := range r.Evaluate.tables() {
		if *table.path != "" && !isData(*table.path) {
			*table.path = change(*table.path)
		}
	}
	schema(&r.Evaluate.Check)
}

// evaluated is a table of the evaluation.
type evaluated struct {
	key  string
	path *string
}

func (e *Evaluate) tables() []evaluated {
	return []evaluated{{"documents", &e.Documents}, {"chats", &e.Chats}, {"prompts", &e.Prompts}, {"preferences", &e.Preferences}}
}

// isData reports whether a path names a table of the data section.
func isData(path string) bool { return strings.HasPrefix(filepath.ToSlash(path), dataDir+"/") }

// relativeTo makes paths of the recipe's file, which are relative to its folder, absolute. In the
// working directory they stay as they are.
func (r *Recipe) relativeTo(folder string) {
	if config.Absolute(folder) == config.Absolute(".") {
		return
	}
	r.folder = config.Absolute(folder)
	r.mapFiles(func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(r.folder, path)
	})
}

// clone returns a recipe whose paths can be changed without changing r.
func (r *Recipe) clone() *Recipe {
	own := *r
	own.Data.Import = slices.Clone(r.Data.Import)
	own.Stages = slices.Clone(r.Stages)
	for i := range own.Stages {
		own.Stages[i] = own.Stages[i].clone()
	}
	return &own
}
