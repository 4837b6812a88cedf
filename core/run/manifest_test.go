package run

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/disk"
)

func TestManifestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	want := Manifest{
		Stage: "dpo", Step: 120, Digest: "d", Inputs: map[string]string{"prefs.arrow": "p", "model": "m"},
		Model: "w", Tokenizer: "t", Template: "c", Created: time.Date(2025, 3, 4, 5, 6, 7, 8, time.UTC), Herd: "v0.1.0",
		Extra: map[string]json.RawMessage{"beta": json.RawMessage("0.1")},
	}
	if err := WriteManifest(dir, want); err != nil {
		t.Fatal(err)
	}
	want.Version = ManifestVersion
	if got, err := ReadManifest(dir); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("read %+v, %v\nwant %+v", got, err, want)
	}
}

func TestManifestRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"herd.json:1: unexpected EOF":   "",
		"herd.json:2: invalid":          "{\n,}",
		`unknown field "stagee"`:        `{"version":1,"stagee":"sft"}`,
		"herd.json:3: json: cannot":     "{\"version\":1,\n\"stage\":\"sft\",\n\"step\":\"7\"}",
		"herd.json:2: something follow": "{\"version\":1,\"stage\":\"sft\"}\n1",
		"version is 0":                  `{"stage":"sft"}`,
		"use a newer herd":              `{"version":2,"stage":"sft"}`,
		"no stage":                      `{"version":1}`,
		"step is -1":                    `{"version":1,"stage":"sft","step":-1}`,
		`input "a" has digest ""`:       `{"version":1,"stage":"sft","inputs":{"a":""}}`,
		"longer than":                   strings.Repeat(" ", disk.MaxJSON+1),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, ManifestName)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadManifest(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with %q and the path", err, want)
		}
	}
	if _, err := ReadManifest(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no manifest: error %v", err)
	}
	if err := WriteManifest(t.TempDir(), Manifest{}); err == nil || !strings.Contains(err.Error(), "no stage") {
		t.Errorf("an empty manifest: error %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"version":1,"stage":"sft","step":3,"created":"2025-03-04T05:06:07Z","inputs":{"a":"b"},"extra":{"x":[1,{}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Manifest
		line, err := disk.DecodeJSON(b, &m)
		if line < 1 || line > 1+strings.Count(string(b), "\n") {
			t.Errorf("line %d", line)
		}
		if err != nil || m.validate() != nil {
			return
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := disk.DecodeJSON(text, &again); err != nil {
			t.Errorf("wrote %s, which does not read: %v", text, err)
		}
	})
}

func TestDigestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "abc")
	if err := os.WriteFile(path, []byte("abc"), 0o666); err != nil {
		t.Fatal(err)
	}
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-4's example
	if got, err := DigestFile(path); err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if _, err := DigestFile(path + "d"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
}

func TestDigestJSON(t *testing.T) {
	digest := func(v any) string {
		d, err := DigestJSON(v)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	type ab struct {
		A uint64 `json:"a"`
		B string `json:"b"`
	}
	type ba struct {
		B string `json:"b"`
		A uint64 `json:"a"`
	}
	const big = math.MaxUint64
	want := digest(ab{big, "x<y"})
	if got := digest(ba{"x<y", big}); got != want {
		t.Error("the order of the fields matters")
	}
	if got := digest(map[string]any{"b": "x<y", "a": uint64(big)}); got != want {
		t.Error("a map differs from a struct")
	}
	if digest(ab{big - 1, "x<y"}) == want || digest(ab{big, "x"}) == want {
		t.Error("different values have one digest")
	}
	if _, err := DigestJSON(math.NaN()); err == nil {
		t.Error("NaN has a digest")
	}
	if got := digest("abc"); got != "6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25" { // printf '"abc"' | sha256sum
		t.Errorf("the digest of \"abc\" has become %s: old manifests no longer match", got)
	}
}

// TestManifestOfModel: every file that says how a model reads text is part of its digest.
func TestManifestOfModel(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "additional_chat_templates"), 0o777); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, name := range []string{"config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "additional_chat_templates/tool_use.jinja"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := NewManifest("graze", nil, Inputs{"model": {dir}})
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[m.Digest]; ok {
			t.Errorf("%s does not count: the digest is the same as after %s", name, before)
		}
		seen[m.Digest] = name
	}
}
