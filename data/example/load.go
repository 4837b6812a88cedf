package example

import (
	"fmt"

	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/table"
)

// Load makes examples of the rows of some tables, in order, and keeps those
// within the limit. A row may give none, or several. The rows are not kept.
func Load[T table.Row](paths []string, limit pack.Limit, convert func(T) ([]pack.Example, error)) ([]pack.Example, error) {
	var examples []pack.Example
	err := load(paths, limit, convert, func(_ T, e pack.Example) { examples = append(examples, e) })
	return examples, err
}

// LoadRows is Load with the rows: rows[i] is what examples[i] was made of.
func LoadRows[T table.Row](paths []string, limit pack.Limit, convert func(T) ([]pack.Example, error)) (rows []T, examples []pack.Example, err error) {
	err = load(paths, limit, convert, func(row T, e pack.Example) {
		rows, examples = append(rows, row), append(examples, e)
	})
	return rows, examples, err
}

// load hands each example to keep, with the row that it was made of.
func load[T table.Row](paths []string, limit pack.Limit, convert func(T) ([]pack.Example, error), keep func(T, pack.Example)) error {
	kept := 0
	for _, path := range paths {
		for row, err := range table.Scan[T](path) {
			if err != nil {
				return err
			}
			made, err := convert(row)
			if err != nil {
				return fmt.Errorf("%s: row %s: %w", path, table.OriginOf(&row).ID, err)
			}
			if made, _, err = limit.Apply(made); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			for _, e := range made {
				keep(row, e)
				kept++
			}
		}
	}
	if kept == 0 {
		return fmt.Errorf("%v hold nothing to learn from", paths)
	}
	return nil
}

// One is the result of a row that gives one example.
func One(e pack.Example, err error) ([]pack.Example, error) { return []pack.Example{e}, err }
