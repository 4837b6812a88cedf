package config

import (
	"fmt"
	"reflect"
	"slices"
)

// Role says what a setting names that has a `path` tag.
type Role string

const (
	Model   Role = "model"   // a model directory to read
	Adapter Role = "adapter" // an adapter directory to read, which belongs to the setting "model"
	Tables  Role = "tables"  // tables to read
	Out     Role = "out"     // the directory to write
)

// Path is a setting that names files or directories. Its field has a `path` tag with the role,
// and is a string or a list of strings:
//
//	Chats []string `yaml:"chats" path:"tables"`
//
// Command flags, a run's inputs and the places of files in a run directory derive from these.
type Path struct {
	Field
	Role Role
}

// Paths lists the paths among the settings. Only those of a pointer can be changed.
func Paths(settings any) (paths []Path) {
	Walk(settings, func(f Field) bool {
		if role := Role(f.tag.Get("path")); role != "" {
			paths = append(paths, Path{f, role})
		}
		return f.Group
	})
	return paths
}

// List reports whether the setting takes several paths.
func (p Path) List() bool { return p.Value.Kind() == reflect.Slice }

// Values returns the paths that are set.
func (p Path) Values() []string {
	if p.List() {
		return p.Value.Interface().([]string)
	}
	if p.Value.IsZero() {
		return nil
	}
	return []string{p.Value.String()}
}

// Map replaces each path that is set by what change returns for it. It leaves the list that
// the setting held before untouched.
func (p Path) Map(change func(string) string) {
	values := slices.Clone(p.Values())
	for i := range values {
		values[i] = change(values[i])
	}
	switch {
	case p.List():
		p.Value.Set(reflect.ValueOf(values))
	case len(values) == 1:
		p.Value.SetString(values[0])
	}
}

// PathOf returns the path with the role. It panics if the settings have none.
func PathOf(settings any, role Role) Path {
	for _, p := range Paths(settings) {
		if p.Role == role {
			return p
		}
	}
	panic(fmt.Sprintf("%T has no field with the tag path:%q", settings, role))
}
