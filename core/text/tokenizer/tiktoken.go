package tokenizer

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// parseTiktoken reads Meta's tokenizer.model of Llama 3. Each line has the bytes of a token in
// base64 and its rank, which is its id. As in Hugging Face's converter, every split of a token into
// two others is a merge, ordered by rank. Llama 3's 256 special tokens follow the tokens of the
// file.
func parseTiktoken(text []byte) (Vocabulary, error) {
	v := Vocabulary{Pattern: Llama3, WholePieces: true}
	for line := range bytes.Lines(text) {
		raw, err := tiktokenLine(string(bytes.TrimRight(line, "\r\n")), len(v.Tokens))
		if err != nil {
			return v, fmt.Errorf("line %d: %w", len(v.Tokens)+1, err)
		}
		v.Tokens = append(v.Tokens, raw)
	}
	ids := make(map[string]token.ID, len(v.Tokens))
	for i, text := range v.Tokens {
		ids[text] = token.ID(i)
	}
	for _, text := range v.Tokens {
		v.Merges = append(v.Merges, splits(text, ids)...)
	}
	return v.withSpecial(llama3Special()), nil
}

func tiktokenLine(line string, rank int) (string, error) {
	encoded, number, _ := strings.Cut(line, " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) == 0 || len(raw) > longestPiece {
		return "", fmt.Errorf("%.60q is not a token in base64 (1 to %d bytes) and its rank", line, longestPiece)
	}
	if n, err := strconv.Atoi(number); err != nil || n != rank {
		return "", fmt.Errorf("rank %.20q, expected %d: ranks count lines from 0", number, rank)
	}
	return string(raw), nil
}

// llama3Special returns the names of Llama 3's special tokens as in version 3.1 and later, which
// names some tokens that were reserved before.
func llama3Special() []string {
	const count = 256
	names := []string{
		NameBeginOfText, NameEndOfText, "<|reserved_special_token_0|>", "<|reserved_special_token_1|>",
		"<|finetune_right_pad_id|>", "<|reserved_special_token_2|>", NameStartHeader, NameEndHeader,
		"<|eom_id|>", NameEndOfTurn, "<|python_tag|>",
	}
	for i := 3; len(names) < count; i++ {
		names = append(names, fmt.Sprintf("<|reserved_special_token_%d|>", i))
	}
	return names
}
