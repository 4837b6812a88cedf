package data

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// ExportJSONL writes the table at path to w, a line of JSON for each row. Import
// makes the same table out of it again.
func ExportJSONL(w io.Writer, path string) error {
	table, err := openTable(path)
	if err != nil {
		return err
	}
	defer table.Close()
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for row, err := range table.records(0) {
		if err != nil {
			return err
		}
		if err := enc.Encode(row); err != nil {
			return fmt.Errorf("export %s: %w", path, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export %s: %w", path, err)
	}
	return nil
}
