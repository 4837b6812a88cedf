package recipes

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/data/world"
)

var update = flag.Bool("update", false, "rewrite docs/settings.md and recipes/meanings.txt")

// TestReference holds docs/settings.md and meanings.txt to the settings structs and their doc
// comments. Every setting must have one.
func TestReference(t *testing.T) {
	ref := reference{t: t, docs: make(map[string]map[string]string), meanings: make(map[string]string)}
	page := ref.page()
	lines := ""
	for _, field := range slices.Sorted(maps.Keys(ref.meanings)) {
		lines += field + "\t" + ref.meanings[field] + "\n"
	}
	for path, want := range map[string]string{filepath.Join("..", "docs", "settings.md"): page, "meanings.txt": lines} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is not what the settings and their comments say (%v): rewrite it with: go generate ./recipes", path, err)
		}
	}
}

// reference writes the page.
type reference struct {
	t        *testing.T
	out      strings.Builder
	docs     map[string]map[string]string // package folder -> "Type.Field" -> doc comment
	meanings map[string]string            // as in meanings.txt
}

const introduction = `# Settings

Every setting of every stage and of recipes, with its type, its default and its meaning.
` + "`go generate ./recipes`" + ` writes this page from the code; do not edit it.

You give settings in a YAML file (` + "`--config FILE`" + `) or one by one (` + "`--set KEY=VALUE`" + `, with dots between
the keys of nested settings). In a recipe, the settings of a stage stand under its kind, and
` + "`--set STAGE.KEY=VALUE`" + ` sets one of them. A key that does not exist is an error.

The ` + "`herd.json`" + ` in a directory stores all settings of its run; ` + "`--config DIR`" + ` repeats that run.

A default that is empty means: not set. "list" is a YAML list of texts: ` + "`[a, b]`" + `.
`

func (r *reference) page() string {
	r.out.WriteString(introduction)
	for _, k := range Kinds() {
		fmt.Fprintf(&r.out, "\n## %s\n\n%s: `herd %s`.\n", k.Name, k.Short, k.Name)
		r.table("", k.Defaults())
	}
	r.out.WriteString("\n## Recipes\n\nThe YAML file of `herd run`. `data.world` is optional: a recipe without it has no generated tables.\n" +
		"`--set NAME.KEY=VALUE` sets a key of the import NAME. Paths are relative to the recipe's file, unless\n" +
		"they begin with `data/` or the name of an earlier stage.\n")
	whole := defaults(nil)
	whole.Data.World = world.Defaults()
	r.table("", whole)
	r.out.WriteString("\n## Checks\n\n`herd data check` takes the settings that stand under `check` in [rejection](#rejection), " +
		"without that prefix.\n")
	return r.out.String()
}

// table writes a row for each setting.
func (r *reference) table(prefix string, settings any) {
	r.out.WriteString("\n| key | type | default | meaning |\n|---|---|---|---|\n")
	r.rows(prefix, settings)
}

func (r *reference) rows(prefix string, settings any) {
	config.Walk(settings, func(f config.Field) bool {
		if f.Group {
			r.remember(f)
			return true
		}
		fmt.Fprintf(&r.out, "| `%s%s` | %s | %s | %s |\n", prefix, f.Key, typeOf(f.Value.Type()), r.defaultOf(f), strings.ReplaceAll(r.remember(f), "|", `\|`))
		if t := f.Value.Type(); t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
			r.rows(prefix+f.Key+"[].", reflect.New(t.Elem()).Interface())
		}
		return false
	})
}

// remember returns what a field means, and notes it for meanings.txt. A group needs no doc
// comment.
func (r *reference) remember(f config.Field) string {
	text := r.meaning(f.Owner, f.Name)
	if text == "" && !f.Group {
		r.t.Errorf("%s.%s (%s) has no doc comment", f.Owner, f.Name, f.Key)
	}
	if text != "" {
		r.meanings[fieldName(f.Owner, f.Name)] = text
	}
	return text
}

func (r *reference) defaultOf(f config.Field) string {
	if text := f.Text(); text != "" && !f.Value.IsZero() || f.Value.Kind() != reflect.String && f.Value.Kind() != reflect.Slice && f.Value.Kind() != reflect.Pointer {
		return "`" + text + "`"
	}
	return ""
}

// typeOf names a type for a person who writes YAML.
func typeOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Float64:
		return "number"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "list of groups"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Map:
		return "names with values"
	case t.Kind() == reflect.Pointer:
		return typeOf(t.Elem())
	case reflect.New(t).Type().Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()), t.Kind() == reflect.String && t.Name() != "string":
		return "name"
	case t.Kind() == reflect.String:
		return "text"
	}
	return "whole number"
}

// meaning returns the comment of a field: that at the end of its line, else that above it.
func (r *reference) meaning(owner reflect.Type, field string) string {
	folder := filepath.Join("..", strings.TrimPrefix(owner.PkgPath(), "github.com/herd-lm/herd/"))
	if r.docs[folder] == nil {
		r.docs[folder] = fieldComments(r.t, folder)
	}
	return r.docs[folder][owner.Name()+"."+field]
}

// fieldComments reads the comments of all struct fields in a folder's Go files.
func fieldComments(t *testing.T, folder string) map[string]string {
	comments := make(map[string]string)
	files, _ := filepath.Glob(filepath.Join(folder, "*.go"))
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				above := "" // the last comment above a field; it may be about several
				for _, f := range s.Fields.List {
					if f.Doc != nil {
						above = words(f.Doc)
					}
					for _, name := range f.Names {
						text := words(first(f.Comment, f.Doc))
						if text == "" && strings.Contains(above, name.Name) {
							text = above
						}
						comments[spec.Name.Name+"."+name.Name] = strings.TrimPrefix(text, name.Name+" is ")
					}
				}
			}
			return false
		})
	}
	return comments
}

// words returns the text of a comment in one line.
func words(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

func first(a, b *ast.CommentGroup) *ast.CommentGroup {
	if a != nil {
		return a
	}
	return b
}
