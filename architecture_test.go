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

// policy says which packages of ours each package may import, after the example of
// go/build's deps_test. A line that begins with a tab goes on with the one before. What
// is allowed and not used is an error too, so that this list is a map. "*" is all; the
// entry of a folder stands for all packages below it that have none.
//
// What it keeps apart: a stage imports no other stage; the training loop knows no
// stage; tables know no tokenizer and no model; what is for tests is in no program.
const policy = `
# The ground: what imports nothing of ours, and what only kernels see.
core/config:
core/half:
core/memory:
core/disk: core/memory
core/token:
core/text/chat:
core/text/show:
core/text/jinja:
core/weights/gguf: core/half
core/kernel/cpu:
core/kernel/guard:

# Arithmetic.
core/kernel/gemm: core/kernel/cpu core/memory
core/kernel/vector: core/kernel/cpu
core/kernel: core/half core/kernel/cpu core/kernel/gemm core/kernel/vector core/memory core/token
core/graph: core/memory

# What every run has.
core/run: core/config core/disk

# Text to tokens.
core/text/tokenizer: core/disk core/token
core/text/template: core/text/chat core/text/jinja core/text/tokenizer core/token

# The model, its weights on disk, and models of other programs.
core/weights/checkpoint: core/disk core/half
core/model: core/disk core/graph core/kernel core/memory core/token core/train/optim
	core/weights/checkpoint
core/weights/convert: core/disk core/kernel core/memory core/model core/run core/text/template core/text/tokenizer core/token
	core/weights/checkpoint core/weights/gguf
core/weights/modeldir: core/disk core/model core/run core/text/chat core/text/template
	core/text/tokenizer core/weights/checkpoint

# Training.
core/train/optim: core/kernel core/memory
core/train/pack: core/token
core/train/score: core/model core/token core/train/pack
core/train: core/disk core/graph core/kernel core/memory core/model core/run core/text/tokenizer
	core/token core/train/optim core/train/pack core/weights/checkpoint
core/train/stage: core/config core/memory core/model core/run core/text/template core/text/tokenizer
	core/train core/train/pack

# Sampling.
core/sample: core/text/chat core/token
core/sample/constrain: core/sample core/text/tokenizer core/token
core/sample/engine: core/kernel core/kernel/vector core/memory core/model core/sample
	core/text/tokenizer core/token
core/sample/remote: core/sample core/text/chat core/text/show core/text/tokenizer core/token

# A model that answers, here or on a server.
core/policy: core/kernel core/model core/sample core/sample/engine core/sample/remote core/text/chat
	core/text/template core/text/tokenizer core/token

# Rows.
data:
data/table: core/disk core/text/chat core/text/show core/token
data/format: core/text/chat core/text/show data/table
data/view: core/text/chat core/text/show data/table
data/near:
data/example: core/text/chat core/text/template core/text/tokenizer core/train/pack data/table
data/world: core/text/chat data/table judge/rule

# Judging. The interface and the rules know no model: data/world imports them.
judge: core/text/chat data/table
judge/rule/number:
judge/rule: core/disk core/text/chat judge judge/rule/number
judge/reward: core/model core/sample/remote core/text/chat core/text/template core/train/pack
	core/train/score data/example judge
judge/scoring: core/model core/run core/sample/remote core/text/template judge judge/reward judge/rule

# Measuring.
eval: core/disk core/model core/policy core/sample core/sample/engine core/text/template
	core/text/tokenizer core/train/pack core/train/score data/example data/table eval/stat judge judge/rule
eval/stat:
eval/report: core/sample data/table eval/stat

# The stages: none imports another.
pretrain: core/model core/run core/text/template core/text/tokenizer core/token core/train core/train/pack core/train/stage
	data/example data/table
sft: core/model core/run core/train core/train/pack
	core/train/stage data/example data/table
reward: core/model core/run core/text/chat core/text/template core/token core/train
	core/train/pack core/train/stage data/example data/table eval/stat
rejection: core/config core/disk core/kernel core/model core/policy core/run core/sample core/sample/engine
	core/sample/remote core/text/template core/train/pack data/example data/table eval/report judge
	judge/scoring
dpo: core/model core/run core/text/chat core/text/template core/text/tokenizer core/token core/train core/train/pack core/train/score
	core/train/stage data/example data/table
serve: core/sample core/sample/constrain core/text/chat core/text/show core/text/template core/text/tokenizer core/token internal/httpd

# Recipes, and the programs.
recipes: core/config core/disk core/model core/run core/sample core/text/template core/text/tokenizer core/train
	core/text/chat core/train/stage data/format data/near data/table data/world dpo eval eval/stat judge judge/rule pretrain rejection
	reward sft

# What serving HTTP needs, whatever is served.
internal/httpd:

# For tests.
internal/realdata:
internal/testmodel: core/model core/text/template core/text/tokenizer
internal/testrows: core/text/chat core/token data/table
cmd/herd: *
scripts: *
`

// borders says which packages may import a library, by import path prefix. A name
// stands for the package and those below its folder.
var borders = map[string][]string{
	"gorgonia.org/":                          {"core/graph", "core/model"},
	"github.com/chewxy/hm":                   {"core/graph"},
	"github.com/apache/arrow/":               {"data/table", "data/format"},
	"github.com/parquet-go/":                 {"data/format"},
	"github.com/spf13/cobra":                 {"cmd/herd"},
	"golang.org/x/term":                      {"cmd/herd"},
	"github.com/goccy/go-yaml":               {"core/config", "recipes"},
	"github.com/klauspost/compress/":         {"data/format"},
	"github.com/klauspost/cpuid/":            {"core/kernel"},
	"github.com/dlclark/regexp2":             {"core/text/tokenizer"},
	"golang.org/x/text/":                     {"core/text/tokenizer"},
	"github.com/santhosh-tekuri/jsonschema/": {"judge/rule"},
	"testing":                                {"internal", "core/kernel/guard"},
}

// TestImports reads the imports of every file, so that one that the policy does not
// allow, or a library on the wrong side of its border, fails with file and line.
func TestImports(t *testing.T) {
	allowed := parsePolicy(t, policy)
	imports := readImports(t, ".")
	if len(imports) < 100 {
		t.Fatalf("found %d imports: the test does not see the source", len(imports))
	}
	used := make(map[[2]string]bool)
	for _, i := range imports {
		if err := i.check(allowed); err != nil {
			t.Errorf("%s: %v", i.place, err)
		}
		used[[2]string{i.from, strings.TrimPrefix(i.path, module)}] = true
	}
	for from, list := range allowed {
		for _, to := range list {
			if to != "*" && !used[[2]string{from, to}] {
				t.Errorf("%s may import %s and does not: take that out of the policy", from, to)
			}
		}
	}
}

// TestImportsNoticesViolations plants one violation of each kind.
func TestImportsNoticesViolations(t *testing.T) {
	allowed := parsePolicy(t, policy)
	for _, bad := range []imported{
		{from: "core/kernel", path: module + "core/model"},
		{from: "sft", path: module + "dpo"},
		{from: "data/table", path: module + "core/text/tokenizer"},
		{from: "data/world/deep", path: module + "recipes"},
		{from: "attic", path: "fmt"},
		{from: "data/table", path: "gorgonia.org/gorgonia"},
		{from: "recipes", path: "github.com/spf13/cobra"},
		{from: "recipes", path: "testing"},
		{from: "cmd/herd", path: module + "internal/testrows"},
		{from: "eval", path: "C"},
	} {
		if bad.check(allowed) == nil {
			t.Errorf("%s importing %s went unnoticed", bad.from, bad.path)
		}
	}
	for _, good := range []imported{
		{from: "dpo", path: module + "core/model"},
		{from: "cmd/herd", path: module + "recipes"},
		{from: "scripts/bench", path: module + "core/model"},
	} {
		if err := good.check(allowed); err != nil {
			t.Errorf("an import that is allowed: %v", err)
		}
	}
}

// parsePolicy returns what each package may import.
func parsePolicy(t *testing.T, text string) map[string][]string {
	allowed := make(map[string][]string)
	var from string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), "#")
		list := line
		if !strings.HasPrefix(line, "\t") {
			name, rest, ok := strings.Cut(line, ":")
			if !ok {
				continue
			}
			if from, list = name, rest; allowed[from] != nil {
				t.Errorf("the policy names %s twice", from)
			}
			allowed[from] = []string{}
		}
		allowed[from] = append(allowed[from], strings.Fields(list)...)
	}
	return allowed
}

type imported struct{ place, from, path string }

func (i imported) check(allowed map[string][]string) error {
	list, ok := entryOf(i.from, allowed)
	if !ok {
		return fmt.Errorf("package %s has no entry: give it one in architecture_test.go", i.from)
	}
	if i.path == "C" {
		return fmt.Errorf("cgo is not used here")
	}
	if to, ours := strings.CutPrefix(i.path, module); ours {
		if strings.HasPrefix(to, "internal/test") && !within(i.from, "internal") {
			return fmt.Errorf("%s imports %s, which is for tests", i.from, to)
		}
		if !slices.Contains(list, to) && !slices.Contains(list, "*") {
			return fmt.Errorf("%s imports %s, which it may not (see policy in architecture_test.go)", i.from, to)
		}
	}
	for library, allowed := range borders {
		if within(i.path, strings.TrimSuffix(library, "/")) && !slices.ContainsFunc(allowed, func(a string) bool { return within(i.from, a) }) {
			return fmt.Errorf("%s imports %s, which only %v may", i.from, i.path, allowed)
		}
	}
	return nil
}

func within(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// entryOf returns what a package may import: its own entry, or that of "*" of a folder above.
func entryOf(pkg string, allowed map[string][]string) (list []string, ok bool) {
	if list, ok = allowed[pkg]; ok {
		return list, ok
	}
	for folder := filepath.ToSlash(filepath.Dir(pkg)); folder != "."; folder = filepath.ToSlash(filepath.Dir(folder)) {
		if list := allowed[folder]; slices.Contains(list, "*") {
			return list, true
		}
	}
	return nil, false
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
