package rejection

import (
	"fmt"
	"iter"
	"slices"

	"github.com/herd-lm/herd/data/table"
)

// openTables is the maximum number of parts that a reader keeps open.
const openTables = 32

// reader finds responses in the parts. It reads each part once if you ask for responses in the
// order in which they are stored.
type reader struct {
	parts []part
	open  []*cursor // the one used last comes last
}

// cursor is a part that is being read from front to back.
type cursor struct {
	part  int32
	at    int32 // number of the row that was read last; -1: none
	row   table.Sample
	table *table.Reader[table.Sample]
	next  func() (table.Sample, error, bool)
	stop  func()
}

// candidate returns the response at a place.
func (r *reader) candidate(p location) (table.Candidate, error) {
	c, err := r.cursor(p)
	if err != nil {
		return table.Candidate{}, err
	}
	for c.at < p.row {
		row, err, ok := c.next()
		if err == nil && !ok {
			err = fmt.Errorf("%s has become shorter", r.parts[p.part].path)
		}
		if err != nil {
			return table.Candidate{}, err
		}
		c.at, c.row = c.at+1, row
	}
	return c.row.Candidates[p.at], nil
}

// cursor returns one that has not passed the place.
func (r *reader) cursor(p location) (*cursor, error) {
	i := slices.IndexFunc(r.open, func(c *cursor) bool { return c.part == p.part })
	if i >= 0 && r.open[i].at <= p.row {
		c := r.open[i]
		r.open = append(slices.Delete(r.open, i, i+1), c)
		return c, nil
	}
	if i < 0 && len(r.open) >= openTables {
		i = 0
	}
	if i >= 0 {
		r.open[i].close()
		r.open = slices.Delete(r.open, i, i+1)
	}
	rows, err := table.Open[table.Sample](r.parts[p.part].path)
	if err != nil {
		return nil, err
	}
	c := &cursor{part: p.part, at: p.row - 1, table: rows}
	c.next, c.stop = iter.Pull2(rows.RowsFrom(int(p.row)))
	r.open = append(r.open, c)
	return c, nil
}

func (c *cursor) close() {
	c.stop()
	c.table.Close()
}

func (r *reader) close() {
	for _, c := range r.open {
		c.close()
	}
	r.open = nil
}
