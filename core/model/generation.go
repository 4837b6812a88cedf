package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/token"
)

// loadGeneration keeps generation_config.json, if it exists, so that Save can write it.
func (c *Config) loadGeneration(path string) error {
	text, err := disk.ReadLimited(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) || c.IsReward() {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := generationEOS(text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	c.Generation = text
	return nil
}

// SaveGeneration writes generation_config.json to dir, if there is one. Save does it too; the
// directory of an adapter needs the file alone.
func (c Config) SaveGeneration(dir string) error {
	if c.Generation == nil {
		return nil
	}
	return disk.WriteBytes(filepath.Join(dir, generationName), c.Generation)
}

// generationEOS returns the eos_token_id of a generation_config.json.
func generationEOS(text []byte) (IntSet, error) {
	var g struct {
		EOS IntSet `json:"eos_token_id"`
	}
	if text == nil {
		return nil, nil
	}
	return g.EOS, json.Unmarshal(text, &g)
}

// StopIDs returns the tokens that end the model's output: ids, from the tokenizer, and the
// eos_token_id of config.json and of generation_config.json, which often lists more.
func (c Config) StopIDs(ids ...token.ID) []token.ID {
	for _, id := range slices.Concat(c.EOS, c.GenerationEOS()) {
		if id := token.ID(id); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// GenerationEOS returns eos_token_id of generation_config.json, or nil if there is none.
func (c Config) GenerationEOS() IntSet {
	eos, err := generationEOS(c.Generation)
	if err != nil { // impossible for a file: LoadConfig would have returned an error
		return nil
	}
	return eos
}

// StopAt adds tokens that end an answer to eos_token_id of config.json and of
// generation_config.json, which it creates if there is none: transformers and vLLM read the
// second file, other programs the first one, and neither the chat template. What is there stays.
// Without ids, and for a reward model, it changes nothing.
func (c *Config) StopAt(ids ...token.ID) error {
	if len(ids) == 0 || c.IsReward() {
		return nil
	}
	c.EOS = c.EOS.with(ids)
	all := map[string]json.RawMessage{}
	if c.Generation != nil {
		if err := json.Unmarshal(c.Generation, &all); err != nil {
			return fmt.Errorf("model: %s: %w", generationName, err)
		}
	}
	eos := c.GenerationEOS().with(ids)
	if c.GenerationEOS() == nil {
		eos = c.EOS // without the file or the field, programs took config.json's
	}
	if c.Generation != nil && slices.Equal(eos, c.GenerationEOS()) {
		return nil
	}
	for name, value := range map[string]any{"eos_token_id": eos, "bos_token_id": c.BOS} {
		if name == "bos_token_id" && (c.BOS == nil || c.Generation != nil) {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("model: %s: %w", generationName, err)
		}
		all[name] = text
	}
	text, err := json.MarshalIndent(all, "", "  ")
	c.Generation = append(text, '\n')
	return err
}

// with returns s with the ids that it does not have.
func (s IntSet) with(ids []token.ID) IntSet {
	s = slices.Clone(s)
	for _, id := range ids {
		if !slices.Contains(s, int(id)) {
			s = append(s, int(id))
		}
	}
	return s
}

// readStops takes over where training of an adapter taught answers to end: the directory of an
// adapter has its own generation_config.json.
func (c *Config) readStops(adapter string) error {
	var own Config
	if err := own.loadGeneration(filepath.Join(adapter, generationName)); err != nil || own.Generation == nil {
		return err
	}
	var ids []token.ID
	for _, id := range own.GenerationEOS() {
		ids = append(ids, token.ID(id))
	}
	return c.StopAt(ids...)
}
