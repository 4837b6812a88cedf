package world

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/data"
)

// Names of the tables that Write makes.
const (
	DocumentsFile          = "documents.arrow"
	HeldOutDocumentsFile   = "documents-heldout.arrow"
	ChatsFile              = "chats.arrow"
	PreferencesFile        = "preferences.arrow"
	HeldOutPreferencesFile = "preferences-heldout.arrow"
	PromptsFile            = "prompts.arrow"
	HeldOutFile            = "heldout.arrow"
)

// Write generates the world of s and writes it as Arrow tables into the
// directory, which it makes if need be. Each table replaces an older one
// atomically.
func Write(dir string, s Settings) error {
	w, err := Generate(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	h := data.Header{Stage: Source, Seed: s.Seed}
	return errors.Join(
		table(dir, DocumentsFile, h, w.Documents),
		table(dir, HeldOutDocumentsFile, h, w.HeldOutDocuments),
		table(dir, ChatsFile, h, w.Chats),
		table(dir, PreferencesFile, h, w.Preferences),
		table(dir, HeldOutPreferencesFile, h, w.HeldOutPreferences),
		table(dir, PromptsFile, h, w.Prompts),
		table(dir, HeldOutFile, h, w.HeldOut),
	)
}

func table[T data.Row](dir, name string, h data.Header, rows []T) error {
	t, err := data.Create[T](filepath.Join(dir, name), h)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := t.Write(row); err != nil {
			return errors.Join(err, t.Abort())
		}
	}
	return t.Close()
}
