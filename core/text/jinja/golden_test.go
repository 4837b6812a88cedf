package jinja

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
)

// TestGolden compares results with those of Jinja 2, configured as in transformers
// (testdata/golden.py).
func TestGolden(t *testing.T) {
	var golden struct {
		Context json.RawMessage
		Cases   []struct{ Template, Want, Error string }
	}
	readJSON(t, "testdata/golden.json", &golden)
	context := valuesOf(t, golden.Context)
	if len(golden.Cases) < 300 {
		t.Fatalf("only %d cases", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		got, err := render(c.Template, context)
		if (err != nil) != (c.Error != "") {
			t.Errorf("%s: error %v, want %q", c.Template, err, c.Error)
		} else if got.String() != c.Want {
			t.Errorf("%s:\n got %q\nwant %q", c.Template, got, c.Want)
		}
	}
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// valuesOf returns the values of a JSON object. Their text has origin 1.
func valuesOf(t testing.TB, text []byte) map[string]Value {
	t.Helper()
	v, err := FromJSON(text, 1)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]Value{}
	d := v.(*Dict)
	for i, key := range d.keys {
		values[key.(Text).s] = d.values[i]
	}
	return values
}

func render(source string, values map[string]Value) (Text, error) {
	template, err := Parse(source)
	if err != nil {
		return Text{}, err
	}
	return template.Render(Context{Values: values, Now: noon})
}

var templatesFile = flag.String("templates", "", "`FILE` of templates and the output of other programs, see scripts/parity/templates.sh")

// TestTemplates compares results for real templates with those of another program.
func TestTemplates(t *testing.T) {
	if *templatesFile == "" {
		t.Skip("no -templates: scripts/parity/templates.sh makes the file")
	}
	var golden struct {
		Cases []struct {
			Name, Template, Want, Error string
			Context                     json.RawMessage
		}
	}
	readJSON(t, *templatesFile, &golden)
	for i, c := range golden.Cases {
		got, err := render(c.Template, valuesOf(t, c.Context))
		if (err != nil) != (c.Error != "") {
			t.Errorf("case %d, %s: error %v, want %q", i, c.Name, err, c.Error)
		} else if got.String() != c.Want {
			t.Errorf("case %d, %s:\n got %q\nwant %q", i, c.Name, got, c.Want)
		}
	}
	t.Logf("%d cases", len(golden.Cases))
}
