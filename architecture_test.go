package herd_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/herd-lm/herd/"

// floors is the house from the ground up: a package imports only packages of
// lower floors. A name stands for the package and those below its folder,
// unless they are named themselves.
var floors = [][]string{
	{"core/token", "core/memory", "core/checkpoint", "core/gguf", "core/jinja"},
	{"core/kernel/cpu"},
	{"core/kernel/gemm", "core/kernel/vector"},
	{"core/kernel", "core/tokenizer", "core/pack"},
	{"core/graph", "core/optim", "core/chat"},
	{"core/model"},
	{"data", "core/convert", "data/check/number"},
	{"data/check", "data/example"},
	{"data/world"},
	{"core/sample", "core/train", "core/score"},
	{"core/stage", "core/modeldir", "core/remote", "eval", "rejection/report"},
	{"pretrain", "sft", "reward", "rejection", "dpo", "serve"},
	{"recipes"},
	{"cmd/herd", "scripts/bench", "scripts/llamacpp"},
}

// borders says which packages may import a library, by import path prefix.
var borders = map[string][]string{
	"gorgonia.org/":                          {"core/graph", "core/model", "pretrain", "sft", "reward", "dpo"},
	"github.com/chewxy/hm":                   {"core/graph"},
	"github.com/apache/arrow/":               {"data"},
	"github.com/spf13/cobra":                 {"cmd/herd"},
	"golang.org/x/term":                      {"cmd/herd"},
	"github.com/goccy/go-yaml":               {"recipes"},
	"github.com/klauspost/cpuid/":            {"core/kernel"},
	"github.com/dlclark/regexp2":             {"core/tokenizer"},
	"golang.org/x/text/":                     {"core/tokenizer"},
	"github.com/santhosh-tekuri/jsonschema/": {"data/check"},
}

// TestFloors reads the imports of every file, so that an arrow that points up,
// or a library on the wrong side of its border, fails with file and line.
func TestFloors(t *testing.T) {
	imports := readImports(t, ".")
	if len(imports) < 100 {
		t.Fatalf("found %d imports: the test does not see the source", len(imports))
	}
	for _, i := range imports {
		if err := i.check(); err != nil {
			t.Errorf("%s: %v", i.place, err)
		}
	}
}

// TestFloorsNoticesViolations plants one violation of each kind.
func TestFloorsNoticesViolations(t *testing.T) {
	for _, bad := range []imported{
		{from: "core/kernel", path: module + "core/model"},
		{from: "sft", path: module + "dpo"},
		{from: "data/world/deep", path: module + "recipes"},
		{from: "attic", path: "fmt"},
		{from: "data", path: "gorgonia.org/gorgonia"},
		{from: "recipes", path: "github.com/spf13/cobra"},
		{from: "eval", path: "C"},
	} {
		if bad.check() == nil {
			t.Errorf("%s importing %s went unnoticed", bad.from, bad.path)
		}
	}
	if err := (imported{from: "dpo", path: module + "core/model"}).check(); err != nil {
		t.Errorf("an import that runs down: %v", err)
	}
}

type imported struct{ place, from, path string }

func (i imported) check() error {
	from, ok := floorOf(i.from)
	if !ok {
		return fmt.Errorf("package %s has no floor: give it one in architecture_test.go and docs/architecture.md", i.from)
	}
	if i.path == "C" {
		return fmt.Errorf("cgo is not used here")
	}
	if to, ours := strings.CutPrefix(i.path, module); ours && to != i.from {
		floor, ok := floorOf(to)
		if !ok || floor >= from {
			return fmt.Errorf("%s (floor %d) imports %s (floor %d): imports run down", i.from, from, to, floor)
		}
	}
	for library, allowed := range borders {
		if strings.HasPrefix(i.path, library) && !slices.ContainsFunc(allowed, func(a string) bool { return within(i.from, a) }) {
			return fmt.Errorf("%s imports %s, which only %v may", i.from, i.path, allowed)
		}
	}
	return nil
}

func within(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// floorOf returns the floor of the longest folder that holds pkg.
func floorOf(pkg string) (floor int, ok bool) {
	longest := -1
	for i, names := range floors {
		for _, name := range names {
			if within(pkg, name) && len(name) > longest {
				floor, ok, longest = i, true, len(name)
			}
		}
	}
	return floor, ok
}

// readImports lists the imports of all Go files but tests, and modules of their own.
func readImports(t *testing.T, root string) []imported {
	var all []imported
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if path != root && (nested == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all = append(all, imported{files.Position(spec.Pos()).String(), filepath.ToSlash(filepath.Dir(path)), name})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
