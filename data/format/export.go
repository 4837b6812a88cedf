package format

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/herd-lm/herd/data/table"
)

// ExportJSONL writes the table at path to w, a line of JSON for each row. Import
// makes the same table out of it again.
func ExportJSONL(w io.Writer, path string) error {
	rows, err := table.OpenAny(path)
	if err != nil {
		return err
	}
	defer rows.Close()
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for row, err := range rows.Records(0) {
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
