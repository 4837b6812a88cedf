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
		data.WriteAll(filepath.Join(dir, DocumentsFile), h, w.Documents),
		data.WriteAll(filepath.Join(dir, HeldOutDocumentsFile), h, w.HeldOutDocuments),
		data.WriteAll(filepath.Join(dir, ChatsFile), h, w.Chats),
		data.WriteAll(filepath.Join(dir, PreferencesFile), h, w.Preferences),
		data.WriteAll(filepath.Join(dir, HeldOutPreferencesFile), h, w.HeldOutPreferences),
		data.WriteAll(filepath.Join(dir, PromptsFile), h, w.Prompts),
		data.WriteAll(filepath.Join(dir, HeldOutFile), h, w.HeldOut),
	)
}
