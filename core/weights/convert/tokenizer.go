package convert

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// maxTokenizer is the largest size in bytes of a tokenizer.bin.
const maxTokenizer = 64 << 20

// OpenTokenizer reads a tokenizer of any kind: a directory or a tokenizer.json of
// Hugging Face, a GGUF file, or a tokenizer.bin of llama2.c.
func OpenTokenizer(path string) (*tokenizer.Tokenizer, error) {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return tokenizer.Load(path)
	}
	head, err := readHead(path, maxTokenizer+1)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte(gguf.Magic)):
		return openGGUFTokenizer(path)
	case bytes.HasPrefix(bytes.TrimSpace(head[:min(len(head), 256)]), []byte("{")):
		return tokenizer.Load(filepath.Dir(path))
	case len(head) > maxTokenizer:
		err = fmt.Errorf("longer than %d MB, so not a tokenizer", maxTokenizer>>20)
	}
	var tok *tokenizer.Tokenizer
	if err == nil {
		tok, err = parseLlama2CTokenizer(head)
	}
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %s: %w", path, err)
	}
	return tok, nil
}
