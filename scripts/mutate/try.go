package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

type result string

const (
	killed   result = "killed"
	survived result = "survived"
	invalid  result = "invalid" // the changed source does not compile
)

// try runs the tests of a package with a mutant, or as they are if there is none.
func try(ctx context.Context, dir string, m *mutant, limit time.Duration) (result, error) {
	args := []string{"test", "-short", "-failfast", "-vet=off", "-count=1", "-timeout", limit.String()}
	if m != nil {
		tmp, err := os.MkdirTemp("", "mutate")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(tmp)
		overlay, err := m.overlay(tmp)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = abs
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil:
		return survived, nil
	case !errors.As(err, &failed):
		return "", fmt.Errorf("go test: %w", err)
	case strings.Contains(string(out), "[build failed]"), strings.Contains(string(out), "[setup failed]"):
		return invalid, nil
	}
	return killed, nil
}

// overlay writes the changed file and the JSON file that makes the go command read it.
func (m *mutant) overlay(tmp string) (string, error) {
	src, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	file, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(tmp, filepath.Base(m.file))
	if err := os.WriteFile(changed, []byte(string(src[:m.from])+m.new+string(src[m.to:])), 0o666); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(tmp, "overlay.json")
	return path, os.WriteFile(path, b, 0o666)
}
