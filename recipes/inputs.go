package recipes

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/config"
)

// Input is a setting that a recipe leaves to the user: files that herd does not come with.
type Input struct {
	Key         string `yaml:"key"`         // key of the setting: "documents.files"
	Description string `yaml:"description"` // content of the files
}

// MissingInputs reports the inputs of a recipe that are not set or do not exist. herd refuses
// to run the recipe and writes nothing.
type MissingInputs struct {
	Inputs  []Input
	Reasons []string // of each input: "not set", or the file that does not exist
}

func (e *MissingInputs) Error() string {
	var b strings.Builder
	b.WriteString("the recipe needs files:")
	for i, in := range e.Inputs {
		fmt.Fprintf(&b, "\n%s (%s): %s", in.Key, e.Reasons[i], in.Description)
	}
	return b.String()
}

// checkInputs returns a *MissingInputs if files are missing that the recipe reads: its inputs,
// and those of its imports.
func (r *Recipe) checkInputs() error {
	var missing MissingInputs
	for _, in := range r.allInputs() {
		field, _ := r.field(in.Key) // validate has seen it
		if reason := r.missingFile(field.Value); reason != "" {
			missing.Inputs = append(missing.Inputs, in)
			missing.Reasons = append(missing.Reasons, reason)
		}
	}
	if len(missing.Inputs) == 0 {
		return nil
	}
	return &missing
}

// allInputs returns the recipe's inputs, and the files of imports that it does not call so.
func (r *Recipe) allInputs() []Input {
	inputs := slices.Clone(r.Inputs)
	for _, m := range r.Data.Import {
		if key := m.Name + ".files"; !r.isInput(key) {
			inputs = append(inputs, Input{Key: key, Description: "the files to import as " + m.Name})
		}
	}
	return inputs
}

func (r *Recipe) isInput(key string) bool {
	return slices.ContainsFunc(r.Inputs, func(in Input) bool { return in.Key == key })
}

// missingFile says which of the files is missing that a setting names, "" if none is.
func (r *Recipe) missingFile(setting reflect.Value) string {
	files, ok := setting.Interface().([]string)
	if !ok && !setting.IsZero() {
		files = []string{setting.String()}
	}
	if len(files) == 0 {
		return "not set"
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			return f + " does not exist" + r.whereElse(0, f)
		}
	}
	return ""
}

// field returns the setting that an assignment to the key would set.
func (r *Recipe) field(key string) (config.Field, bool) {
	name, rest, _ := strings.Cut(key, ".")
	if settings := r.named(name); settings != nil {
		return config.Find(settings, rest)
	}
	return config.Find(r, key)
}

// named returns a pointer to the settings of the stage or import of the name, or nil.
func (r *Recipe) named(name string) any {
	for i := range r.Stages {
		if r.Stages[i].Name == name {
			return r.Stages[i].Settings
		}
	}
	for i := range r.Data.Import {
		if r.Data.Import[i].Name == name {
			return &r.Data.Import[i]
		}
	}
	return nil
}

// validateInputs reports an input that is no setting of files.
func (r *Recipe) validateInputs() error {
	for _, in := range r.Inputs {
		f, ok := r.field(in.Key)
		if !ok {
			return fmt.Errorf("inputs: %q is not a setting of the recipe", in.Key)
		}
		if t := f.Value.Type(); t != reflect.TypeFor[[]string]() && t != reflect.TypeFor[string]() {
			return fmt.Errorf("inputs: %s is %s, expected a setting that names files", in.Key, config.TypeName(t))
		}
	}
	return nil
}
