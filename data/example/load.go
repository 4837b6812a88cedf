package example

import (
	"fmt"

	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/data"
)

// Load makes examples of the rows of some tables, in order, and keeps those
// within the limit: rows[i] is what examples[i] was made of. A row may give
// none, or several.
func Load[T data.Row](paths []string, limit pack.Limit, convert func(T) ([]pack.Example, error)) (rows []T, examples []pack.Example, err error) {
	for _, path := range paths {
		for row, err := range data.Scan[T](path) {
			if err != nil {
				return nil, nil, err
			}
			made, err := convert(row)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: row %s: %w", path, data.OriginOf(&row).ID, err)
			}
			if made, _, err = limit.Apply(made); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", path, err)
			}
			for _, e := range made {
				rows, examples = append(rows, row), append(examples, e)
			}
		}
	}
	if len(examples) == 0 {
		return nil, nil, fmt.Errorf("%v hold nothing to learn from", paths)
	}
	return rows, examples, nil
}

// One is the result of a row that gives one example.
func One(e pack.Example, err error) ([]pack.Example, error) { return []pack.Example{e}, err }
