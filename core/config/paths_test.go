package config_test

import (
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/config"
)

type inner struct {
	Width int    `yaml:"width"`
	Base  string `yaml:"base" path:"model"`
}

type shared struct {
	Out string `yaml:"out" path:"out"`
}

type settings struct {
	Rows   []string `yaml:"rows" path:"tables"`
	Shape  inner    `yaml:"shape" json:",omitzero"`
	shared `yaml:",inline"`
	Hidden int // no key
}

// TestPaths: the tags of fields, nested and embedded ones too, say what names files. Map leaves
// the list of another copy of the settings as it is.
func TestPaths(t *testing.T) {
	s := settings{Rows: []string{"a", "b"}, Shape: inner{Base: "m"}}
	before := s
	var keys []string
	for _, p := range config.Paths(&s) {
		keys = append(keys, p.Key+":"+string(p.Role))
		p.Map(func(path string) string { return "dir/" + path })
	}
	if want := []string{"rows:tables", "shape.base:model", "out:out"}; !slices.Equal(keys, want) {
		t.Errorf("paths %v, want %v", keys, want)
	}
	if !slices.Equal(s.Rows, []string{"dir/a", "dir/b"}) || s.Shape.Base != "dir/m" || s.Out != "" {
		t.Errorf("settings %+v", s)
	}
	if !slices.Equal(before.Rows, []string{"a", "b"}) {
		t.Errorf("the copy has rows %v", before.Rows)
	}
	if config.PathOf(&s, config.Out).List() || !config.PathOf(&s, config.Tables).List() {
		t.Error("out is a list, or rows is none")
	}
}

// TestFind: nested keys are found, others are not; a group without values is unset.
func TestFind(t *testing.T) {
	var s settings
	if f, ok := config.Find(&s, "shape.width"); !ok || f.Name != "Width" || f.Text() != "0" {
		t.Errorf("shape.width: %+v, %v", f, ok)
	}
	if f, ok := config.Find(&s, "shape"); !ok || !f.Group || !f.Unset() {
		t.Errorf("shape: %+v, %v", f, ok)
	}
	for _, key := range []string{"width", "shape.height", "hidden", ""} {
		if _, ok := config.Find(&s, key); ok {
			t.Errorf("%q was found", key)
		}
	}
}
