package world

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/data/table"
)

// The names of the tables that Write makes.
const (
	DocumentsFile          = "documents.arrow"
	HeldOutDocumentsFile   = "documents-heldout.arrow"
	ChatsFile              = "chats.arrow"
	PreferencesFile        = "preferences.arrow"
	HeldOutPreferencesFile = "preferences-heldout.arrow"
	PromptsFile            = "prompts.arrow"
	HeldOutFile            = "heldout.arrow"
)

// Files lists the names of the tables that Write makes.
func Files() []string {
	return []string{
		DocumentsFile, HeldOutDocumentsFile, ChatsFile, PreferencesFile, HeldOutPreferencesFile, PromptsFile, HeldOutFile,
	}
}

// Write generates a world and writes it as Arrow tables into a directory, which it creates if
// needed. Each table replaces an older one atomically.
func Write(dir string, s Settings) error {
	w, err := Generate(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	h := table.Header{Stage: Source, Seed: s.Seed}
	return errors.Join(
		table.WriteAll(filepath.Join(dir, DocumentsFile), h, w.Documents),
		table.WriteAll(filepath.Join(dir, HeldOutDocumentsFile), h, w.HeldOutDocuments),
		table.WriteAll(filepath.Join(dir, ChatsFile), h, w.Chats),
		table.WriteAll(filepath.Join(dir, PreferencesFile), h, w.Preferences),
		table.WriteAll(filepath.Join(dir, HeldOutPreferencesFile), h, w.HeldOutPreferences),
		table.WriteAll(filepath.Join(dir, PromptsFile), h, w.Prompts),
		table.WriteAll(filepath.Join(dir, HeldOutFile), h, w.HeldOut),
	)
}
