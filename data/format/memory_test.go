package format

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/data/view"
)

// highWater returns the most bytes that were live while work processed n rows. It makes the
// collector run often and ignores garbage, whose amount depends on the rest of the machine.
func highWater(t *testing.T, work func(n int) error, n int) uint64 {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	stop := make(chan struct{})
	var most uint64
	var wait sync.WaitGroup
	wait.Go(func() {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Microsecond):
			}
		}
	})
	if err := work(n); err != nil {
		t.Error(err)
	}
	close(stop)
	wait.Wait()
	return most
}

func writeLines(t *testing.T, path string, rows int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range rows {
		fmt.Fprintf(w, `{"instruction": "%d %s", "output": "%s", "n": "%d"}`+"\n", i, strings.Repeat("question ", 60), strings.Repeat("answer ", 100), i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file of twenty times the rows needs no more memory. Reading all rows at once does.
func TestMemoryIsBounded(t *testing.T) {
	const rows = 2 * table.BatchRows
	dir := t.TempDir()
	path := func(n int, ext string) string { return filepath.Join(dir, fmt.Sprint(n)+ext) }
	writeLines(t, path(rows, ".jsonl"), rows)
	writeLines(t, path(20*rows, ".jsonl"), 20*rows)
	bound := uint64(0)
	for _, pass := range []struct {
		name string
		over func(n int) error
	}{
		{"import", func(n int) error {
			_, err := Import(path(n, ".arrow"), []string{path(n, ".jsonl")}, ImportSettings{})
			return err
		}},
		{"stats", func(n int) error { _, err := view.Stats(path(n, ".arrow")); return err }},
		{"export", func(n int) error { return ExportJSONL(io.Discard, path(n, ".arrow")) }},
	} {
		one, twenty := highWater(t, pass.over, rows), highWater(t, pass.over, 20*rows)
		t.Logf("%s: %d KiB for %d rows, %d KiB for %d", pass.name, one>>10, rows, twenty>>10, 20*rows)
		if bound = 2*one + 4<<20; twenty > bound {
			t.Errorf("%s: %d rows took %d bytes, twenty times as many %d", pass.name, rows, one, twenty)
		}
	}
	t.Run("planted", func(t *testing.T) {
		readAll := func(n int) error {
			rows, _, err := table.ReadAll[table.Chat](path(n, ".arrow"))
			runtime.KeepAlive(rows)
			return err
		}
		if all := highWater(t, readAll, 20*rows); all <= bound {
			t.Errorf("reading all rows took %d bytes, no more than the bound of %d: the test would not notice", all, bound)
		}
	})
}
