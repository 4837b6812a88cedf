package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/parquet-go/parquet-go"
)

// parquetRows yields the rows of a Parquet file as JSON objects, some at a time.
func parquetRows(file *os.File) iter.Seq2[jsonRow, error] {
	const most = 64
	return func(yield func(jsonRow, error) bool) {
		r, err := guarded(func() (*parquet.GenericReader[any], error) { return openParquet(file) })
		if err != nil {
			yield(jsonRow{}, fmt.Errorf("cannot be read as a Parquet file: %w", err))
			return
		}
		defer r.Close()
		number := 1
		for err == nil {
			rows := make([]any, most)
			var n int
			n, err = guarded(func() (int, error) { return r.Read(rows) })
			for _, row := range rows[:n] {
				raw, bad := json.Marshal(withoutLevels(row))
				if bad != nil {
					bad = fmt.Errorf("row %d: %w", number, bad)
				}
				if !yield(jsonRow{place{number, number}, raw}, bad) || bad != nil {
					return
				}
				number++
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(jsonRow{}, fmt.Errorf("row %d: cannot be read: %w", number, err))
		}
	}
}

func openParquet(file *os.File) (*parquet.GenericReader[any], error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	p, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return nil, err
	}
	return parquet.NewGenericReader[any](p, p.Schema()), nil
}

// withoutLevels turns the groups with which Parquet stores lists and maps into lists and objects:
// {"list": [{"element": 1}]} is [1] (LogicalTypes.md of the Parquet format).
func withoutLevels(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withoutLevels(v[i])
		}
	case map[string]any:
		if list, ok := listOf(v, []string{"list", "bag", "array"}, []string{"element", "item", "array_element", "array"}); ok {
			return withoutLevels(list)
		}
		if entries, ok := only(v, "key_value", "map").([]any); ok {
			return objectOf(entries)
		}
		for key := range v {
			v[key] = withoutLevels(v[key])
		}
	}
	return v
}

// listOf returns the elements of a group that stores a list.
func listOf(group map[string]any, outer, inner []string) ([]any, bool) {
	list, ok := only(group, outer...).([]any)
	if !ok {
		return nil, false
	}
	out := make([]any, len(list))
	for i, entry := range list {
		wrapped, ok := entry.(map[string]any)
		if !ok || len(wrapped) != 1 {
			return nil, false
		}
		for _, name := range inner {
			if x, there := wrapped[name]; there {
				out[i], ok = x, true
				break
			}
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return out, true
}

// only returns the value of a group's only field, if it has one of the names, else nil.
func only(group map[string]any, names ...string) any {
	if len(group) != 1 {
		return nil
	}
	for _, name := range names {
		if v, ok := group[name]; ok {
			return v
		}
	}
	return nil
}

// objectOf returns the entries of a map as an object.
func objectOf(entries []any) map[string]any {
	object := make(map[string]any, len(entries))
	for _, e := range entries {
		if pair, ok := e.(map[string]any); ok {
			object[fmt.Sprint(pair["key"])] = withoutLevels(pair["value"])
		}
	}
	return object
}
