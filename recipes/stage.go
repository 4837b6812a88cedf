package recipes

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/model"
)

// Stage is an entry of a recipe: a name, and the settings of one kind of stage under the name
// of the kind: "sft: {...}".
type Stage struct {
	Name     string
	Kind     *Kind
	Settings Settings
}

// YAMLShape returns a struct with the keys of a stage: its name, and each of the kinds.
func (Stage) YAMLShape() reflect.Type {
	fields := []reflect.StructField{{Name: "Name", Type: reflect.TypeFor[string](), Tag: `yaml:"name"`}}
	for i, k := range kinds {
		fields = append(fields, reflect.StructField{
			Name: fmt.Sprintf("Kind%d", i),
			Type: reflect.TypeOf(k.defaults()).Elem(),
			Tag:  reflect.StructTag(fmt.Sprintf("yaml:%q", k.Name)),
		})
	}
	return reflect.StructOf(fields)
}

// UnmarshalYAML starts the settings from the defaults of the stage's kind.
func (s *Stage) UnmarshalYAML(unmarshal func(any) error) error {
	keys := make(map[string]any)
	if err := unmarshal(&keys); err != nil {
		return err
	}
	all := reflect.New(s.YAMLShape()).Elem()
	for i, k := range kinds {
		all.Field(i + 1).Set(reflect.ValueOf(k.defaults()).Elem())
	}
	if err := unmarshal(all.Addr().Interface()); err != nil {
		return err
	}
	*s = Stage{Name: all.Field(0).String()}
	var names []string
	for i, k := range kinds {
		if _, ok := keys[k.Name]; ok {
			s.Kind, s.Settings = k, all.Field(i+1).Addr().Interface().(Settings)
			s.Settings = s.clone().Settings
		}
		names = append(names, k.Name)
	}
	if len(keys) != 2 || s.Kind == nil {
		last := len(names) - 1
		return fmt.Errorf("stage %q: expected a name and one of %s or %s", s.Name, strings.Join(names[:last], ", "), names[last])
	}
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (s Stage) MarshalYAML() (any, error) {
	return map[string]any{"name": s.Name, s.Kind.Name: s.Settings}, nil
}

// clone returns a stage whose settings can be changed without changing s.
func (s Stage) clone() Stage {
	own := reflect.New(reflect.TypeOf(s.Settings).Elem())
	own.Elem().Set(reflect.ValueOf(s.Settings).Elem())
	s.Settings = own.Interface().(Settings)
	return s
}

// out returns the directory that the stage writes.
func (s Stage) out() string { return outOf(s.Settings) }

// start returns the model that the stage started from.
func (s Stage) start() (model.Source, error) {
	var from model.Source
	for _, p := range config.Paths(s.Settings) {
		switch {
		case p.Key == "model":
			from.Model = p.Value.String()
		case p.Role == config.Adapter:
			from.Adapter = p.Value.String()
		}
	}
	return model.Locate(from.Model, from.Adapter)
}

// inRun returns the first part of a path of stage i, and whether it is the name of an earlier
// stage or "data": such a path means what that wrote to the run directory.
func (r *Recipe) inRun(i int, path string) (first string, in bool) {
	first, _, _ = strings.Cut(filepath.ToSlash(path), "/")
	earlier := slices.ContainsFunc(r.Stages[:i], func(e Stage) bool { return e.Name == first })
	return first, earlier || first == dataDir
}

// resolve returns the stage with its paths in the run directory; see inRun. Other paths stay as
// they are. A seed of 0 becomes the recipe's.
func (r *Recipe) resolve(i int, dir string) Stage {
	s := r.Stages[i].clone()
	place := func(path string) string {
		if _, in := r.inRun(i, path); in {
			return filepath.Join(dir, path)
		}
		return path
	}
	for _, p := range config.Paths(s.Settings) {
		if p.Role == config.Out {
			p.Value.SetString(filepath.Join(dir, s.Name))
		} else {
			p.Map(place)
		}
	}
	if seed, ok := config.Find(s.Settings, "seed"); ok && seed.Value.IsZero() {
		seed.Value.SetUint(r.Seed)
	}
	return s
}
