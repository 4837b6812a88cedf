package example

import (
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/table"
)

// Load converts the rows of tables to examples, in order, and applies the limit to their
// length. A row may give no example, or several. Load does not keep the rows. The count says
// what became of them.
func Load[T table.Row](paths []string, limit pack.Limit, convert func(T) ([]pack.Example, error)) ([]pack.Example, pack.Count, error) {
	var examples []pack.Example
	count, err := load(paths, limit, convert, func(_ T, e pack.Example) { examples = append(examples, e) })
	return examples, count, err
}

// LoadRows is Load that also returns the rows: examples[i] comes from rows[i].
func LoadRows[T table.Row](paths []string, limit pack.Limit, convert func(T) ([]pack.Example, error)) (rows []T, examples []pack.Example, count pack.Count, err error) {
	count, err = load(paths, limit, convert, func(row T, e pack.Example) {
		rows, examples = append(rows, row), append(examples, e)
	})
	return rows, examples, count, err
}

// load calls keep for each example, with its row.
func load[T table.Row](paths []string, limit pack.Limit, convert func(T) ([]pack.Example, error), keep func(T, pack.Example)) (count pack.Count, err error) {
	for _, path := range paths {
		for row, err := range table.Scan[T](path) {
			if err != nil {
				return count, err
			}
			made, err := convert(row)
			if err != nil {
				return count, fmt.Errorf("%s: row %s: %w", path, table.OriginOf(&row).ID, err)
			}
			if made, err = limit.Apply(made, &count); err != nil {
				return count, fmt.Errorf("%s: %w", path, err)
			}
			for _, e := range made {
				keep(row, e)
			}
		}
	}
	if count.Used == 0 {
		return count, fmt.Errorf("%s: %w", strings.Join(paths, ", "), count.Nothing())
	}
	return count, nil
}

// One wraps the result of a row that gives one example.
func One(e pack.Example, err error) ([]pack.Example, error) { return []pack.Example{e}, err }
