// Package recipes runs the stages of a recipe in order. A YAML file describes the recipe; each
// stage reads the models and tables of the stages before it; a run directory holds the results.
//
// Use it to run a whole recipe, or a single stage by its kind. Begin with Load and Recipe.Run;
// Kinds lists the kinds of stages.
package recipes

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data/world"
	"github.com/herd-lm/herd/judge/rule"
)

//go:embed *.yaml
var embedded embed.FS

// Recipe describes a whole run.
type Recipe struct {
	Name        string   `yaml:"name"`             // name of the recipe; herd takes the file's name
	Description string   `yaml:"description"`      // one line that says what the recipe does
	Seed        uint64   `yaml:"seed"`             // random seed for everything that has no seed of its own
	Inputs      []Input  `yaml:"inputs,omitempty"` // files that you must provide
	Data        Data     `yaml:"data"`             // tables to make before the first stage
	Stages      []Stage  `yaml:"stages"`           // stages in order: a name and the settings of one kind each
	Evaluate    Evaluate `yaml:"evaluate"`         // what to measure after each stage

	folder string // of the recipe's file, if that is not the working directory
}

// Evaluate names the tables on which herd measures each stage. An empty name skips the
// measurement. Names are relative to the run directory, as in stages: "data/heldout.arrow".
type Evaluate struct {
	Documents   string `yaml:"documents"`   // table for the loss and bits per byte
	Chats       string `yaml:"chats"`       // table for the loss on the assistant's turns, of models with a chat template
	Prompts     string `yaml:"prompts"`     // table for accuracy and win rate, of models with a chat template; its rows have the references, unless check is set
	Preferences string `yaml:"preferences"` // table for reward and preference accuracy
	Length      int    `yaml:"length"`      // maximum length of a piece of a document, in tokens

	Check rule.Settings `yaml:"check" json:",omitzero"` // rule that checks answers to prompts; not set: compare with the rows' references

	sample.Settings `yaml:",inline"`
}

// Load reads a recipe, a YAML file or an embedded one by its name, and applies the assignments.
// "name.key=value" sets a field of the stage or import of that name, "key=value" one of the
// recipe. Paths in a file are relative to its folder; those of an assignment or of an embedded
// recipe are relative to the working directory.
func Load(nameOrPath string, assignments []config.Assignment) (*Recipe, error) {
	place, doc, err := find(nameOrPath)
	if err != nil {
		return nil, err
	}
	r := defaults(doc)
	r.Name = strings.TrimSuffix(filepath.Base(place), ".yaml")
	if err := config.Decode(place, doc, r); err != nil {
		return nil, err
	}
	if place == nameOrPath {
		r.relativeTo(filepath.Dir(nameOrPath))
	}
	for _, a := range assignments {
		if err := r.set(a); err != nil {
			return nil, err
		}
	}
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return r, nil
}

// defaults returns a recipe with the default settings. The world has its defaults only if the
// recipe has a world.
func defaults(doc []byte) *Recipe {
	r := &Recipe{Seed: 1, Evaluate: Evaluate{Length: 256, Settings: sample.Settings{MaxTokens: 64}}}
	var sections struct{ Data map[string]any }
	if err := yaml.Unmarshal(doc, &sections); err != nil {
		return r // the strict pass reports the error with its place
	}
	if _, ok := sections.Data["world"]; ok {
		r.Data.World = world.Defaults()
		r.Data.World.Seed = 0
	}
	return r
}

// find returns the recipe's text and its name for errors.
func find(nameOrPath string) (place string, doc []byte, err error) {
	if doc, err := embedded.ReadFile(nameOrPath + ".yaml"); err == nil {
		return nameOrPath + ".yaml", doc, nil
	}
	doc, err = os.ReadFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("no recipe %q: neither a file nor one of %s", nameOrPath, strings.Join(Names(), ", "))
	}
	return nameOrPath, doc, err
}

// Names lists the embedded recipes.
func Names() []string {
	files, _ := fs.Glob(embedded, "*.yaml")
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".yaml")
	}
	return files
}

// Text returns the YAML of a recipe, as a starting point for your own.
func Text(nameOrPath string) ([]byte, error) {
	_, doc, err := find(nameOrPath)
	return doc, err
}

// set applies an assignment to the stage or import that it names, else to the recipe.
func (r *Recipe) set(a config.Assignment) error {
	name, _, _ := strings.Cut(a.Text, ".")
	if settings := r.named(name); settings != nil {
		own, _ := a.Within(name)
		return own.Apply(settings)
	}
	key, _, ok := strings.Cut(a.Text, "=")
	name, rest, _ := strings.Cut(key, ".")
	if _, known := config.Find(r, name); known || !ok {
		return a.Apply(r)
	}
	return fmt.Errorf("%s: unknown key %q%s", a.Place, name, r.meant(name, rest))
}

// meant says what an assignment to name.rest can mean, as the end of an error: the same key of some
// stages or imports, or a name that is near.
func (r *Recipe) meant(name, rest string) string {
	names := []string{}
	config.Walk(r, func(f config.Field) bool {
		names = append(names, f.Key)
		return false
	})
	key := strings.TrimSuffix(name+"."+rest, ".")
	var with []string
	for _, one := range r.names() {
		if _, ok := config.Find(r.named(one), key); ok {
			with = append(with, one+"."+key)
		}
	}
	if len(with) > 0 {
		return ": it is a setting of stages or imports, so set " + strings.Join(with, ", ")
	}
	return cmp.Or(config.Suggest(name, append(names, r.names()...)), ": the recipe has "+strings.Join(r.names(), ", "))
}

// names lists the stages and the imports.
func (r *Recipe) names() (names []string) {
	for _, m := range r.Data.Import {
		names = append(names, m.Name)
	}
	for _, s := range r.Stages {
		names = append(names, s.Name)
	}
	return names
}

func (r *Recipe) validate() error {
	if len(r.Stages) == 0 {
		return fmt.Errorf("the recipe has no stages")
	}
	var names []string
	for i, s := range r.Stages {
		switch {
		case s.Name == "":
			return fmt.Errorf("stage %d has no name", i+1)
		case strings.ContainsAny(s.Name, "./\\ ") || s.Name == dataDir:
			return fmt.Errorf("stage %d is called %q: a name has no dots, slashes or spaces and is not %q", i+1, s.Name, dataDir)
		case slices.Contains(names, s.Name):
			return fmt.Errorf("two stages are called %q", s.Name)
		}
		names = append(names, s.Name)
	}
	if err := r.Evaluate.validate(); err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	if err := r.validateInputs(); err != nil {
		return err
	}
	for _, m := range r.Data.Import {
		if slices.Contains(names, m.Name) {
			return fmt.Errorf("an import and a stage are both called %q", m.Name)
		}
	}
	return r.Data.validate(r.isInput)
}

// yaml returns the recipe with all defaults filled in. Paths outside the run directory are
// absolute, so that the file can be used in any place.
func (r *Recipe) yaml() ([]byte, error) {
	all := r.clone()
	all.mapFiles(config.Absolute)
	return yaml.Marshal(all)
}
