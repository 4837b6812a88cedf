package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"time"
)

// Values are settings by key: the values in JSON, which is YAML too, so that an Assignment can
// set them again.
type Values map[string]json.RawMessage

// UnmarshalJSON reads values in the form in which ValuesOf returns them, whatever their layout.
func (v *Values) UnmarshalJSON(text []byte) error {
	var read map[string]json.RawMessage
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	for key := range read {
		var err error
		if read[key], err = canonical(read[key]); err != nil {
			return err
		}
	}
	*v = read
	return nil
}

// canonical returns JSON without blanks, with sorted keys and with few escapes.
func canonical(text []byte) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Record holds all settings of a run, apart from the directory that it writes.
type Record struct {
	Settings  Values `json:"settings,omitempty"`  // affect the result
	Execution Values `json:"execution,omitempty"` // do not affect the result
	Paths     Values `json:"paths,omitempty"`     // name files and directories, by absolute paths; only those that are set
}

// RecordOf returns the record of settings. What counts are the same settings without those that
// do not affect the result, as a digest covers them. A field that JSON leaves out counts for
// nothing either.
func RecordOf(settings, counts any) (Record, error) {
	r := Record{make(Values), make(Values), make(Values)}
	counted, err := ValuesOf(counts)
	if err != nil {
		return r, err
	}
	err = eachValue(settings, func(f Field, value json.RawMessage) {
		switch _, isPath := f.tag.Lookup("path"); {
		case isPath:
			r.addPath(f)
		case f.tag.Get("json") == "-" || string(counted[f.Key]) != string(value):
			r.Execution[f.Key] = value
		default:
			r.Settings[f.Key] = value
		}
	})
	return r, err
}

// addPath adds a setting that names files, unless it is not set or names what the run writes.
func (r Record) addPath(f Field) {
	p := Path{f, Role(f.tag.Get("path"))}
	if p.Role == Out || len(p.Values()) == 0 {
		return
	}
	absolute := slices.Clone(p.Values())
	for i, path := range absolute {
		absolute[i] = Absolute(path)
	}
	var value any = absolute
	if !p.List() {
		value = absolute[0]
	}
	r.Paths[f.Key], _ = json.Marshal(value) // texts always have JSON
}

// Absolute returns the absolute form of a path, or the path itself if the working directory is
// unknown.
func Absolute(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}

// Assignments returns an assignment for each setting of the record. Errors call them by origin and
// key.
func (r Record) Assignments(origin string) (list []Assignment) {
	for _, values := range []Values{r.Settings, r.Execution, r.Paths} {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			list = append(list, Assignment{Text: key + "=" + string(values[key]), Place: origin + ": " + key})
		}
	}
	return list
}

// ValuesOf returns all settings of a struct, or of a struct that a pointer points to.
func ValuesOf(settings any) (Values, error) {
	all := make(Values)
	err := eachValue(settings, func(f Field, value json.RawMessage) { all[f.Key] = value })
	return all, err
}

func eachValue(settings any, visit func(Field, json.RawMessage)) (err error) {
	Walk(settings, func(f Field) bool {
		if f.Group || err != nil {
			return err == nil
		}
		value, failed := f.json()
		if failed != nil {
			err = fmt.Errorf("%s: %w", f.Key, failed)
			return false
		}
		visit(f, value)
		return false
	})
	return err
}

// json returns the value as a file of settings has it.
func (f Field) json() (json.RawMessage, error) {
	v := f.Value.Interface()
	if d, ok := v.(time.Duration); ok {
		v = d.String()
	}
	if f.Value.Kind() == reflect.Slice && f.Value.IsNil() {
		return json.RawMessage("[]"), nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return canonical(text)
}
