package table

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// mostRetained limits the bytes of source batches that the rows of one batch keep in memory: a
// step that picks few rows of many batches must not hold all of them.
const mostRetained = 4 * batchBytes

// gatherer builds the extra columns of a batch from the values of its rows.
type gatherer struct {
	columns  []*gathered
	metadata arrow.Metadata
	rows     int  // of the batch
	retained int  // bytes of the source arrays in memory
	changed  bool // columns, types or metadata since the last batch
}

// gathered is one column of a batch: runs of rows of source arrays, of Go values, and of nulls.
// Rows after the last run are null.
type gathered struct {
	arrow.Field
	runs []valueRun
	rows int         // in runs
	like arrow.Array // an array of no rows with the dictionaries of all batches so far; nil before the first
}

// valueRun is rows [from, to) of an array, a list of Go values, or a number (to) of nulls.
type valueRun struct {
	from, to int
	values   arrow.Array
	set      []any
}

// fits returns an error if the table cannot hold a row's extra columns.
func (g *gatherer) fits(x Extra, own []arrow.Field) error {
	if err := x.writable(); err != nil {
		return err
	}
	for _, c := range x.cells {
		if err := g.fitsField(c.column.Field, own); err != nil {
			return err
		}
	}
	return nil
}

func (g *gatherer) fitsField(f arrow.Field, own []arrow.Field) error {
	if err := notOurs(f.Name, own); err != nil {
		return err
	}
	if i := g.find(f.Name); i >= 0 {
		if _, err := unify(g.columns[i].Type, f.Type); err != nil {
			return fmt.Errorf("column %s: %w", f.Name, err)
		}
	}
	return nil
}

func (g *gatherer) find(name string) int {
	return slices.IndexFunc(g.columns, func(c *gathered) bool { return c.Name == name })
}

// add appends the values of the next row. The caller has checked that they fit.
func (g *gatherer) add(x Extra) error {
	if x.from != nil {
		g.merge(x.from.metadata)
	}
	for _, cell := range x.cells {
		c := g.column(cell.column.Field)
		c.addNulls(g.rows - c.rows)
		if c.add(cell) {
			g.retained += cell.column.bytes
		}
	}
	g.rows++
	if g.retained > mostRetained {
		return g.compact()
	}
	return nil
}

// column returns the column of a field. It adds the column if it is new and widens its type if
// needed.
func (g *gatherer) column(f arrow.Field) *gathered {
	i := g.find(f.Name)
	if i < 0 {
		f.Nullable = f.Nullable || g.rows > 0
		g.columns, g.changed = append(g.columns, &gathered{Field: f}), true
		return g.columns[len(g.columns)-1]
	}
	c := g.columns[i]
	if typ, err := unify(c.Type, f.Type); err == nil && !arrow.TypeEqual(typ, c.Type) {
		c.Type, g.changed = typ, true
	}
	if f.Nullable && !c.Nullable {
		c.Nullable, g.changed = true, true
	}
	return c
}

// declare adds the columns of a source table.
func (g *gatherer) declare(columns *Columns, own []arrow.Field) error {
	g.merge(columns.metadata)
	for _, f := range columns.fields {
		if err := g.fitsField(f, own); err != nil {
			return err
		}
		g.column(f)
	}
	return nil
}

// merge adds the keys that the table does not have yet. If two sources have one key, the first
// value stays.
func (g *gatherer) merge(m arrow.Metadata) {
	for i, key := range m.Keys() {
		if g.metadata.FindKey(key) < 0 {
			keys, values := slices.Clone(g.metadata.Keys()), slices.Clone(g.metadata.Values())
			g.metadata, g.changed = arrow.NewMetadata(append(keys, key), append(values, m.Values()[i])), true
		}
	}
}

// add appends a value, and reports whether it keeps another source array in memory.
func (c *gathered) add(cell cell) (another bool) {
	c.rows++
	last := len(c.runs) - 1
	if values := cell.column.values; values != nil {
		if last >= 0 && c.runs[last].values == values && c.runs[last].to == cell.row {
			c.runs[last].to++
			return false
		}
		c.runs = append(c.runs, valueRun{from: cell.row, to: cell.row + 1, values: values})
		return last < 0 || c.runs[last].values != values
	}
	if last < 0 || c.runs[last].set == nil {
		c.runs = append(c.runs, valueRun{})
		last++
	}
	c.runs[last].set = append(c.runs[last].set, cell.value)
	return false
}

func (c *gathered) addNulls(n int) {
	if n > 0 {
		c.runs = append(c.runs, valueRun{to: n})
		c.rows += n
	}
}

// compact copies the values out of their source arrays, which can then be freed.
func (g *gatherer) compact() error {
	for _, c := range g.columns {
		if c.rows == 0 {
			continue
		}
		a, err := c.join()
		if err != nil {
			return err
		}
		c.runs = []valueRun{{to: a.Len(), values: a}}
	}
	g.retained = 0
	return nil
}

// flush returns the columns of the batch and begins the next batch. changed reports that
// batches on disk have other columns, types or dictionaries and must be rewritten.
func (g *gatherer) flush() (columns []arrow.Array, changed bool, err error) {
	changed = g.changed
	for _, c := range g.columns {
		if c.rows < g.rows && !c.Nullable {
			c.Nullable, changed = true, true
		}
		c.addNulls(g.rows - c.rows)
		a, err := c.join()
		if err != nil {
			return nil, false, err
		}
		columns = append(columns, a)
		if c.like == nil || !arrow.TypeEqual(c.like.DataType(), a.DataType()) || !sameDictionaries(c.like.Data(), a.Data()) {
			changed = true
		}
		c.like, c.runs, c.rows = array.NewSlice(a, 0, 0), nil, 0
	}
	g.rows, g.retained, g.changed = 0, 0, false
	return columns, changed, nil
}

// fields returns the columns as fields of a schema.
func (g *gatherer) fields() []arrow.Field {
	fields := make([]arrow.Field, len(g.columns))
	for i, c := range g.columns {
		fields[i] = c.Field
	}
	return fields
}

// join concatenates the runs into one array. The array's dictionaries begin with those of the
// batches so far.
func (c *gathered) join() (arrow.Array, error) {
	var parts []arrow.Array
	like := nulls(c.Type, 0)
	if c.like != nil {
		like = array.MakeFromData(recast(c.like.Data(), c.Type))
	} else if i := slices.IndexFunc(c.runs, func(r valueRun) bool { return r.values != nil }); i >= 0 {
		like = array.MakeFromData(recast(array.NewSlice(c.runs[i].values, 0, 0).Data(), c.Type))
	}
	parts = append(parts, like)
	for _, r := range c.runs {
		parts = append(parts, r.array(c.Type, like))
	}
	a, err := concatenate(parts)
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", c.Name, err)
	}
	return a, nil
}

func (r valueRun) array(typ arrow.DataType, like arrow.Array) arrow.Array {
	switch {
	case r.set != nil:
		return arrayOf(typ, r.set)
	case r.values != nil:
		return array.MakeFromData(recast(array.NewSlice(r.values, int64(r.from), int64(r.to)).Data(), typ))
	}
	return array.MakeFromData(withDictionaries(nulls(typ, r.to).Data(), like.Data()))
}

// again returns the column of a batch on disk, with the current type and dictionaries.
func (c *gathered) again(rec arrow.Record) (arrow.Array, error) {
	now := gathered{Field: c.Field, like: c.like}
	if at := rec.Schema().FieldIndices(c.Name); len(at) > 0 {
		now.runs = []valueRun{{to: int(rec.NumRows()), values: rec.Column(at[0])}}
	} else {
		now.addNulls(int(rec.NumRows()))
	}
	return now.join()
}
