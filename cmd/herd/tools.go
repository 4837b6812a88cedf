package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/text/chat"
)

// maxTools is the greatest length of a file with tools in bytes.
const maxTools = 1 << 20

// readTools reads the functions that a model may call: a JSON list, as OpenAI's API takes it. It
// returns "" for the file "".
func readTools(file string) (chat.JSON, error) {
	if file == "" {
		return "", nil
	}
	text, err := disk.ReadLimited(file, maxTools)
	if err != nil {
		return "", fmt.Errorf("--tools: %w", err)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil || len(list) == 0 {
		return "", fmt.Errorf("--tools: %s is no JSON list of functions", file)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return "", fmt.Errorf("--tools: %s: %w", file, err)
	}
	return chat.JSON(b.String()), nil
}
