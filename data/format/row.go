package format

import "github.com/herd-lm/herd/data/table"

// Row converts one JSON object, in whichever format fits it. The row gets an id: the object's,
// or a hash of its content.
func Row(raw []byte) (table.Record, error) {
	o, err := (*reading)(nil).parseObject(raw)
	if err != nil {
		return nil, err
	}
	c, err := findConverter(o, "", "")
	if err != nil {
		return nil, err
	}
	row, err := c.row(o, "")
	if err == nil && row.RowOrigin().ID == "" {
		row.RowOrigin().ID = table.RecordID(row)
	}
	return row, err
}
