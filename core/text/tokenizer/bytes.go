package tokenizer

import (
	"fmt"
	"strings"
)

// byteRune holds the character for each byte in vocabulary files of byte-level BPE. Printable
// Latin-1 characters represent themselves. The other bytes get characters from U+0100 on, in
// order, so that no file has a blank or a control character (bytes_to_unicode of GPT-2's
// encoder.py).
var byteRune = func() (table [256]rune) {
	moved := rune(0x100)
	for b := range table {
		if '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b {
			table[b] = rune(b)
		} else {
			table[b] = moved
			moved++
		}
	}
	return table
}()

// runeByte is the inverse of byteRune.
var runeByte = func() map[rune]byte {
	table := make(map[rune]byte, len(byteRune))
	for b, r := range byteRune {
		table[r] = byte(b)
	}
	return table
}()

// byteOrder holds the 256 bytes in the order of their characters, which is the
// order that GPT-2, Llama 3 and Hugging Face's trainer number them in.
var byteOrder = func() (order [256]byte) {
	i := 0
	for r := rune(0); i < len(order); r++ {
		if b, ok := runeByte[r]; ok {
			order[i] = b
			i++
		}
	}
	return order
}()

// SpellBytes converts the raw bytes of a byte-level BPE token to the characters that vocabulary
// files use for them.
func SpellBytes(raw string) string {
	var s strings.Builder
	for i := range len(raw) {
		s.WriteRune(byteRune[raw[i]])
	}
	return s.String()
}

// UnspellBytes is the inverse of SpellBytes. It returns an error for a character that
// represents no byte.
func UnspellBytes(spelt string) (string, error) {
	raw := make([]byte, 0, len(spelt))
	for _, r := range spelt {
		b, ok := runeByte[r]
		if !ok {
			return "", fmt.Errorf("token %q: character %q represents no byte in byte-level BPE", spelt, r)
		}
		raw = append(raw, b)
	}
	return string(raw), nil
}
