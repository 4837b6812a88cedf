package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// DigestFile returns the SHA-256 of a file's content in hexadecimal.
func DigestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// DigestJSON returns the SHA-256 of v's JSON form in hexadecimal. Keys are sorted and there
// are no spaces, so the order of a struct's fields does not matter. A value that JSON cannot
// hold, such as NaN, is an error.
func DigestJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	var plain any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // 64-bit integers do not fit a float64
	if err := d.Decode(&plain); err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	if b, err = json.Marshal(plain); err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
