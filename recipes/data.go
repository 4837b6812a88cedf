package recipes

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/data/world"
)

// dataDir is the folder of a run directory that holds the tables of the data section.
const dataDir = "data"

// Data describes the tables to make before the first stage: tables of the generated world, and
// imports of files.
type Data struct {
	World  world.Settings `yaml:"world,omitempty"` // tables of the generated world (data/world); absent: none
	Import []Import       `yaml:"import"`          // tables to make from files
}

// hasWorld reports whether the recipe asks for tables of the generated world.
func (d Data) hasWorld() bool { return d.World != world.Settings{} }

// Import makes data/NAME.arrow out of files, or data/NAME-PART.arrow for each part.
type Import struct {
	Name   string            `yaml:"name"`                               // name of the table: data/NAME.arrow, or of a part: data/NAME-PART.arrow
	Files  []string          `yaml:"files"`                              // files or folders, relative to the folder of the recipe's file; in --set and in built-in recipes to the working directory
	Kind   table.Kind        `yaml:"kind"`                               // kind of rows: documents, chats, preferences, unpaired or samples; empty: herd detects it
	Format format.Format     `yaml:"format"`                             // format of the files, as in herd data import --format; empty: herd detects it
	Split  format.Split      `yaml:"split"`                              // how text files become documents: none, lines or paragraphs
	Limit  int               `yaml:"limit"`                              // maximum number of rows; 0: all
	Map    map[string]string `yaml:"map,omitempty" json:",omitempty"`    // names of the formats' fields for columns that are called otherwise: {solution: completion}
	Ignore []string          `yaml:"ignore,omitempty" json:",omitempty"` // keys of rows and messages to leave out
	Parts  []Part            `yaml:"parts"`                              // parts into which herd divides the rows; empty: one table

	PartsBy   PartsBy `yaml:"parts_by,omitempty" json:",omitempty"`   // rows that must be in the same part: those of equal content, of equal prompt, or near copies; empty: prompt for preferences, unpaired and samples, content for documents and chats
	PartsSeed uint64  `yaml:"parts_seed,omitempty" json:",omitempty"` // random seed for the part of each row; the recipe's seed has no influence
}

// validate returns an error for the first invalid setting. An import may have no files if they
// are an input of the recipe.
func (d Data) validate(isInput func(key string) bool) error {
	if d.hasWorld() {
		if err := d.World.Validate(); err != nil {
			return fmt.Errorf("data: %w", err)
		}
	}
	for i, m := range d.Import {
		if m.Name == "" || m.Name != filepath.Base(m.Name) {
			return fmt.Errorf("data: import %d: name is %q, expected that of a file without folder", i+1, m.Name)
		}
		if len(m.Files) == 0 && !isInput(m.Name+".files") {
			return fmt.Errorf("data: import %s: no files", m.Name)
		}
		if err := m.validateParts(); err != nil {
			return fmt.Errorf("data: import %s: %w", m.Name, err)
		}
	}
	return d.validateTables()
}

// validateTables returns an error if two tables have the same name: one would replace the other.
func (d Data) validateTables() error {
	names := d.tables()
	for _, m := range d.Import {
		if len(m.Parts) > 0 {
			names = append(names, dataDir+"/"+m.Name+".arrow") // before herd divides it
		}
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return fmt.Errorf("data: two imports, or an import and the world, would write %s: rename one", names[i])
		}
	}
	return nil
}

// divisionByContent is in the digest of data with parts, because an older herd divided the rows by
// their ids: the same settings made other tables.
const divisionByContent = "parts by content"

// dataManifest describes the tables by the settings and by the content of the files.
func (r *Recipe) dataManifest() (run.Manifest, error) {
	inputs := make(run.Inputs)
	var settings []any
	if r.Data.hasWorld() {
		settings = append(settings, r.world())
	}
	for _, m := range r.Data.Import {
		inputs["import "+m.Name] = m.Files
		m.Files = nil
		if len(m.Parts) == 0 {
			m.Parts = nil // a recipe that herd wrote has an empty list
		} else {
			settings = append(settings, divisionByContent)
		}
		settings = append(settings, m)
	}
	m, err := run.NewManifest("data", settings, inputs)
	if err != nil {
		return m, err
	}
	m.Record, err = r.dataRecord()
	return m, err
}

// dataRecord records the settings by the keys that set them: "data.world.chats", "NAME.limit".
func (r *Recipe) dataRecord() (config.Record, error) {
	all := config.Record{Settings: make(config.Values), Paths: make(config.Values)}
	add := func(prefix string, settings any) error {
		values, err := config.ValuesOf(settings)
		for key, value := range values {
			all.Settings[prefix+key] = value
		}
		return err
	}
	if r.Data.hasWorld() {
		if err := add("data.world.", r.world()); err != nil {
			return all, err
		}
	}
	for _, m := range r.Data.Import {
		if err := add(m.Name+".", m); err != nil {
			return all, err
		}
		files := slices.Clone(m.Files)
		for i := range files {
			files[i] = config.Absolute(files[i])
		}
		delete(all.Settings, m.Name+".files")
		all.Paths[m.Name+".files"], _ = json.Marshal(files) // texts always have JSON
	}
	return all, nil
}

// world returns the world's settings with the recipe's seed if they have none.
func (r *Recipe) world() world.Settings {
	s := r.Data.World
	if s.Seed == 0 {
		s.Seed = r.Seed
	}
	return s
}

// makeData writes the tables with the manifest to dir/data, unless they are there already.
func (r *Recipe) makeData(dir string, m run.Manifest) (made bool, err error) {
	target := filepath.Join(dir, dataDir)
	if done, err := run.Finished(target, m.Digest); err == nil && done {
		return false, nil
	}
	err = disk.WriteDir(target, func(tmp string) error {
		if r.Data.hasWorld() {
			if err := world.Write(tmp, r.world()); err != nil {
				return err
			}
		}
		for _, i := range r.Data.Import {
			if err := i.write(tmp); err != nil {
				return fmt.Errorf("import %s: %w", i.Name, err)
			}
		}
		return run.WriteManifest(tmp, m)
	})
	return err == nil, err
}

func (m Import) write(dir string) error {
	path := filepath.Join(dir, m.Name+".arrow")
	_, err := format.Import(path, m.Files, format.ImportSettings{Format: m.Format, Kind: m.Kind, Split: m.Split, Limit: m.Limit, Ignore: m.Ignore, Map: m.Map})
	if err != nil || len(m.Parts) == 0 {
		return err
	}
	return errors.Join(m.divide(path), os.Remove(path))
}
