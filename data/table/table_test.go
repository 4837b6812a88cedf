package table_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testrows"
)

// Users of a row do not distinguish empty lists from absent ones.
var equalRows = cmpopts.EquateEmpty()

func checkRoundTrip[T table.Row](t *testing.T, rows []T) {
	path := filepath.Join(t.TempDir(), "table.arrow")
	header := table.Header{Stage: "test", Digests: table.Digests{"m", "t", "", "r", "s", "c"}, Seed: 1<<64 - 1}
	testrows.Write(t, path, header, rows)
	got, h, err := table.ReadAll[T](path)
	if err != nil {
		t.Fatal(err)
	}
	header.Kind, header.Version = table.RecordOf(new(T)).RowKind(), table.Version
	if diff := cmp.Diff(header, h); diff != "" {
		t.Errorf("header (-written +read):\n%s", diff)
	}
	for i := range rows {
		if o := table.OriginOf(&rows[i]); o.ID == "" {
			o.ID = table.ContentID(rows[i])
		}
	}
	if diff := cmp.Diff(rows, got, equalRows); diff != "" {
		t.Errorf("rows (-written +read):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, table.BatchRows, 2*table.BatchRows + 1} {
		r := testrows.New(uint64(n))
		t.Run("documents", func(t *testing.T) { checkRoundTrip(t, testrows.Draw(n, r.Document)) })
		t.Run("chats", func(t *testing.T) { checkRoundTrip(t, testrows.Draw(n, r.Chat)) })
		t.Run("preferences", func(t *testing.T) { checkRoundTrip(t, testrows.Draw(n, r.Preference)) })
		t.Run("samples", func(t *testing.T) { checkRoundTrip(t, testrows.Draw(n, r.Sample)) })
	}
}
