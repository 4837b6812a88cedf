package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
	more, err := generationEOS(c.Generation)
	if err != nil { // impossible for a file: LoadConfig would have returned an error
		more = nil
	}
	for _, id := range slices.Concat(c.EOS, more) {
		if id := token.ID(id); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
