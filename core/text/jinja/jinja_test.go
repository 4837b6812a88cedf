package jinja

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var noon = time.Date(2024, 7, 26, 12, 30, 5, 0, time.UTC)

// TestMarks checks that text keeps its origin through all operations of a template.
func TestMarks(t *testing.T) {
	values := map[string]Value{"a": NewText(" User's\nwords ", 1), "b": NewText("more", 2), "l": NewList(NewText("x", 3), NewText("y", 4))}
	d := NewDict()
	d.Set(NewText("k", 5), values["a"])
	values["d"] = d
	for source, want := range map[string]string{
		"[{{ a }}]": "0:[ 1: User's\\nwords  0:]", "{{ a | trim }}.": "1:User's\\nwords 0:.", "{{ a.strip()[:4] ~ b }}": "1:User 2:more",
		"{{ a | upper | replace('USER', b) }}": "1:  2:more 1:'S\\nWORDS ", "{{ a.split()[-1] }}": "1:words", "{{ l | join('-') }}": "3:x 0:- 4:y",
		"{{ b | tojson }}": `0:" 2:more 0:"`, "{{ d | tojson }}": `0:{" 5:k 0:": " 1: User's\nwords  0:"}`, "{{ a[::-1] | trim }}": "1:sdrow\\ns'resU",
		"{{ '%s!' % b }}{{ '{}?'.format(b) }}": "2:more 0:! 2:more 0:?", "{% set x %}<{{ b }}>{% endset %}{{ x | title }}": "0:< 2:More 0:>",
		"{% macro m(x) %}({{ x }}){% endmacro %}{{ m(b) }}": "0:( 2:more 0:)", "{{ (b + 'z') * 2 }}": "2:more 0:z 2:more 0:z", "{{ a | indent(2) | trim }}": "1:User's 0:\\n   1:words",
		"{% generation %}{{ b }}!{% endgeneration %}.": "2*:more 0*:! 0:.", "{% for c in b %}{{ c | capitalize }}{% endfor %}": "2:MORE", "{{ b | list }}": "0:[' 2:m 0:', ' 2:o 0:', ' 2:r 0:', ' 2:e 0:']",
		"{{ 'more' == b }}{{ b | length }}{{ b | first }}": "0:True4 2:m", "{{ b.partition }}{{ b | reverse }}": "2:erom", "{{ b.removeprefix('m') | e }}": "2:ore",
	} {
		got, err := render(source, values)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if s := marks(got); s != want {
			t.Errorf("%s:\n got %s\nwant %s", source, s, want)
		}
	}
	if got, _ := render("{{ a }}", values); marks(got) == "0: User's\\nwords " {
		t.Error("the text lost its origin")
	}
}

func marks(t Text) string {
	var parts []string
	t.each(func(s string, m Mark) {
		own := map[bool]string{true: "*"}[m.Generated]
		parts = append(parts, string(rune('0'+m.Origin))+own+":"+strings.ReplaceAll(s, "\n", `\n`))
	})
	return strings.Join(parts, " ")
}

// TestHostile checks that a template which would run for ever, fill the memory or overflow the
// stack soon returns an error.
func TestHostile(t *testing.T) {
	deep := strings.Repeat("(", 100_000)
	for name, source := range map[string]string{
		"endless loops":     "{% for a in range(1000000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}",
		"a long range":      "{{ range(2000000000) | length }}",
		"doubling":          "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"repeating":         "{{ 'x' * 2000000000 }}",
		"repeating much":    "{{ 'xx' * 9223372036854775807 }}",
		"repeating a list":  "{{ ([1] * 2000000000) | length }}",
		"an empty list":     "{{ ([] * 9223372036854775807) | length }}",
		"replacing":         "{% set ns = namespace(s='xxxx') %}{% for i in range(100) %}{% set ns.s = ns.s | replace('x', 'xxxx') %}{% endfor %}",
		"joining":           "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] | join(ns.s) %}{% endfor %}",
		"searching":         "{% set s = 'x' * 1000000 %}{% for i in range(1000000) %}{{ 'y' in s }}{% endfor %}",
		"recursion":         "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
		"mutual recursion":  "{% macro a() %}{{ b() }}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}",
		"a loop of loops":   "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
		"nested values":     "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
		"branching values":  "{% set ns = namespace(l=[]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}",
		"comparing values":  "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
		"a wide indent":     "{{ 'a\nb' * 100000 | indent('x' * 100000) }}",
		"indented JSON":     "{% set ns = namespace(l=1) %}{% for i in range(90) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson(indent=60) }}",
		"a huge number":     "{{ 9999999999999999999999 }}",
		"a huge power":      "{{ 7 ** 1000000000 }}",
		"overflow":          "{{ 9223372036854775807 + 1 }}",
		"splitting":         "{% set s = 'x ' * 1000000 %}{% for i in range(1000) %}{% set x = s.split() %}{% endfor %}",
		"splitting marks":   "{% set ns = namespace(s=s) %}{% for i in range(13) %}{% set ns.s = ns.s ~ ',' ~ ns.s %}{% endfor %}{% for i in range(1000) %}{% set x = ns.s.split(',') %}{% endfor %}",
		"formatting":        "{{ ('{0}' * 100000).format('x' * 100000) }}",
		"namespace cycles":  "{% set ns = namespace() %}{% set ns.n = ns %}{{ ns.n.n.n == ns }}{{ ns | tojson }}",
		"deep parentheses":  "{{ " + deep + " }}",
		"deep brackets":     "{{ " + strings.Repeat("[", 100_000) + " }}",
		"deep nots":         "{{ " + strings.Repeat("not ", 100_000) + "x }}",
		"deep signs":        "{{ " + strings.Repeat("-", 100_000) + "1 }}",
		"deep ifs":          strings.Repeat("{% if 1 %}", 100_000),
		"many elifs":        "{% if 0 %}" + strings.Repeat("{% elif 0 %}", 10_000) + "{% endif %}",
		"a long template":   strings.Repeat("x", maxSource+1),
		"unclosed":          "{% if x %}",
		"an unclosed tag":   "{{ x",
		"an unclosed quote": "{{ 'x }}",
		"include":           "{% include '/etc/passwd' %}",
		"python":            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
	} {
		began := time.Now()
		if _, err := render(source, map[string]Value{"s": NewText("x", 1)}); err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), "template") {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	// The work of a real chat template is far below the limits.
	if _, err := render("{% for i in range(10000) %}{{ 'a line of text' | trim }}{% endfor %}", nil); err != nil {
		t.Error(err)
	}
}

func TestRaised(t *testing.T) {
	_, err := render("\n\n{{ raise_exception('no ' ~ 1) }}", nil)
	var raised *Raised
	if !errors.As(err, &raised) || raised.Message != "no 1" {
		t.Errorf("error %v", err)
	}
	if _, err := render("\n\n{{ 1 + 'a' }}", nil); err == nil || err.Error() != "template line 3: cannot apply + to an int and a string" {
		t.Errorf("error %v", err)
	}
}

func TestDates(t *testing.T) {
	for format, want := range map[string]string{
		"%d %b %Y": "26 Jul 2024", "%A, %B %-d": "Friday, July 26", "%Y-%m-%dT%H:%M:%S": "2024-07-26T12:30:05", "%y %j %p %I %f %%": "24 208 PM 12 000000 %", "%F %T": "2024-07-26 12:30:05",
	} {
		if got, err := render("{{ strftime_now('"+format+"') }}", nil); err != nil || got.String() != want {
			t.Errorf("%s: %q, %v; want %q", format, got, err, want)
		}
	}
	if _, err := render("{{ strftime_now('%Q') }}{{ strftime_now('%') }}", nil); err == nil {
		t.Error("accepts an unknown directive")
	}
}

func TestGenerationMarks(t *testing.T) {
	for source, want := range map[string]bool{"{% generation %}{% endgeneration %}": true, "generation {{ generation }}": false} {
		if template, err := Parse(source); err != nil || template.MarksGeneration() != want {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// FuzzTemplate checks that no template panics or runs for long, and that the marks of the output
// cover all of it.
func FuzzTemplate(f *testing.F) {
	for _, source := range []string{
		"{% for m in l %}{{ m.role ~ m['content'] | trim }}{% if loop.last %}x{% endif %}{% endfor %}", "{%- set ns = namespace(a=1) -%}{{ ns.a // 0 }}", "{{ s[1:-1:2] | tojson(indent=2) }}",
		"{% macro m(a, b=2) %}{{ caller() }}{% endmacro %}{% call m(1) %}x{% endcall %}", "{% raw %}{{{% endraw %}{# c #}", "{{ '%s' % (s, ) }}{{ '{0}'.format(*l) }}", "{{ d | dictsort(by='value') }}{{ l | map('upper') | list }}",
		"{% generation %}{{ s }}{% endgeneration %}", "{{ s.split('a', 1)[0].rsplit() | join(',') }}", "{{ 1 if s is string else 2 ** 70 }}", "{% filter upper %}a{% endfilter %}{% with a = 1 %}{% endwith %}", "{{ '\\x41\\u00e9\\777' }}", "{{-1}}{{+1}}{%+ if 1 -%} {%endif+%}",
	} {
		f.Add(source, " héllo\nwörld ")
	}
	f.Fuzz(func(t *testing.T, source, s string) {
		text := NewText(s, 1)
		d := NewDict()
		d.Set(NewText("role", 0), text)
		template, err := Parse(source)
		if err != nil {
			return
		}
		got, err := template.Render(Context{Values: map[string]Value{"s": text, "l": NewList(text, d), "d": d, "n": int64(3)}, Now: noon, Input: 3 * len(s)})
		if err != nil {
			return
		}
		end := 0
		for _, r := range got.Runs() {
			if r.End <= end || r.End > len(got.String()) {
				t.Fatalf("runs %v of %d bytes", got.Runs(), len(got.String()))
			}
			end = r.End
		}
		if end != len(got.String()) {
			t.Errorf("runs end at %d of %d bytes", end, len(got.String()))
		}
		if utf8.ValidString(source) && utf8.ValidString(s) && !utf8.ValidString(got.String()) {
			t.Errorf("%q is not valid UTF-8", got)
		}
	})
}

// TestSlices checks that a slice of a text keeps its marks.
func TestSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var b builder
		for range r.IntN(6) {
			b.write(strings.Repeat("x", r.IntN(4)), Mark{Origin: Origin(r.IntN(3))})
		}
		whole := b.text()
		from := r.IntN(len(whole.s) + 1)
		to := from + r.IntN(len(whole.s)-from+1)
		if got, want := origins(whole.Slice(from, to)), origins(whole)[from:to]; got != want {
			t.Fatalf("[%d:%d] of %s is %s", from, to, origins(whole), got)
		}
		if got := origins(Concat(whole.Slice(0, from), whole.Slice(from, len(whole.s)))); got != origins(whole) {
			t.Fatalf("%s, cut and joined, is %s", origins(whole), got)
		}
	}
}

// origins returns the origin of each byte, as one digit.
func origins(t Text) string {
	var b strings.Builder
	t.each(func(s string, m Mark) { b.WriteString(strings.Repeat(string(rune('0'+m.Origin)), len(s))) })
	return b.String()
}
