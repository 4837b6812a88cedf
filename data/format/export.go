package format

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/herd-lm/herd/data/table"
)

// ExportJSONL writes the table at path to w, one line of JSON per row. Extra columns are in the
// object "extra". Import makes the same rows of the lines; extra columns then have types that
// JSON can express.
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
