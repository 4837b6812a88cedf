package rejection

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/report"
)

// finish returns the steps that write the stage's files from the samples. A run that is killed
// between any two steps keeps all its samples and is clearly finished or not: the manifest goes
// first and comes back last, and parts go once their samples are in the tables.
func (r *session) finish() []func() error {
	return []func() error{
		r.removeManifest, r.store.keepSurplus, r.join,
		r.writeManifest,
		r.store.clear,
	}
}

// writeManifest adds what became of the rows to the manifest, if some gave no sample.
func (r *session) writeManifest() error {
	skipped := len(r.summary.Skipped)
	if skipped+r.summary.Repeated > 0 {
		rows, err := json.Marshal(rows{r.summary.Prompts + skipped + r.summary.Repeated, r.summary.Prompts, skipped, r.summary.Repeated})
		if err != nil {
			return err
		}
		r.manifest.Extra[extraRows] = rows
	}
	return run.WriteManifest(r.Out, r.manifest)
}

// extraRows is the key of rows in the manifest.
const extraRows = "rows"

// rows says what became of the rows of the prompts.
type rows struct {
	Rows     int `json:"rows"`
	Used     int `json:"used"`
	TooLong  int `json:"too_long,omitempty"`
	Repeated int `json:"repeated,omitempty"`
}

func (r *session) removeManifest() error {
	err := os.Remove(filepath.Join(r.Out, run.ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// tables are the stage's tables while they are written, row by row.
type tables struct {
	samples     *table.Writer[table.Sample]
	chats       *table.Writer[table.Chat]
	preferences *table.Writer[table.Preference]
}

func createTables(dir string, h table.Header, prompts []string) (t tables, err error) {
	extra, err := table.ColumnsOf(prompts...) // of all prompts, even where none gives a row
	if err != nil {
		return t, err
	}
	if t.samples, err = table.Create[table.Sample](filepath.Join(dir, SamplesFile), h, extra...); err != nil {
		return t, err
	}
	if t.chats, err = table.Create[table.Chat](filepath.Join(dir, ChatsFile), h, extra...); err != nil {
		return t, err
	}
	t.preferences, err = table.Create[table.Preference](filepath.Join(dir, PreferencesFile), h, extra...)
	return t, err
}

// abort removes unfinished tables.
func (t tables) abort() {
	if t.samples != nil {
		t.samples.Abort()
	}
	if t.chats != nil {
		t.chats.Abort()
	}
	if t.preferences != nil {
		t.preferences.Abort()
	}
}

// join writes the tables, in the order of the prompts.
func (r *session) join() error {
	t, err := createTables(r.Out, r.store.header, r.Prompts)
	defer t.abort()
	if err != nil {
		return err
	}
	if err := r.joinRows(t); err != nil {
		return err
	}
	if err := t.samples.Close(); err != nil {
		return err
	}
	if err := r.writeReport(); err != nil {
		return err
	}
	if r.summary.Chats == 0 {
		return fmt.Errorf("no response qualified for training: %s", r.summary.why(r.Settings))
	}
	return errors.Join(t.chats.Close(), t.preferences.Close())
}

// joinRows closes the parts before the tables replace them.
func (r *session) joinRows(t tables) error {
	from := reader{parts: r.store.parts}
	defer from.close()
	r.report = report.New(report.Options{Seed: r.Seed})
	for i := range r.prompts {
		row, err := r.assemble(&from, i)
		if err != nil {
			return err
		}
		if err := r.write(t, row); err != nil {
			return err
		}
	}
	return nil
}

// assemble gathers the responses to a prompt, in the order of their numbers.
func (r *session) assemble(from *reader, i int) (table.Sample, error) {
	row := r.prompts[i].row(make([]table.Candidate, len(r.catalog[i])))
	for k, at := range r.catalog[i] {
		var err error
		if row.Candidates[k], err = from.candidate(*at); err != nil {
			return row, err
		}
	}
	row.ID = table.ContentID(row)
	return row, nil
}

func (r *session) write(t tables, row table.Sample) error {
	chats := r.Pick.chats(row)
	for _, c := range chats {
		if err := t.chats.Write(c); err != nil {
			return err
		}
	}
	pair, contrast := r.Pick.preference(row, r.MinScoreGap)
	if contrast {
		if err := t.preferences.Write(pair); err != nil {
			return err
		}
	}
	r.report.Add(row)
	r.summary.add(row, len(chats), contrast)
	return t.samples.Write(row)
}

func (r *session) writeReport() error {
	r.summary.Report = r.report.Report()
	err := disk.WriteFile(filepath.Join(r.Out, ReportJSONFile), func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(r.summary.Report)
	})
	return cmp.Or(err, disk.WriteFile(filepath.Join(r.Out, ReportFile), r.summary.Report.WriteHTML))
}
