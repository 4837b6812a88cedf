package show

import (
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		most int
		want string
	}{{"short", 5, "short"}, {"longer", 5, "longe..."}, {"aé", 2, "a..."}, {"", 0, ""}} {
		if got := Cut(c.in, c.most); got != c.want {
			t.Errorf("Cut(%q, %d) is %q, want %q", c.in, c.most, got, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	for _, c := range []struct {
		in   string
		most int
		want string
	}{
		{" two\n\tlines\x1b[31m ", 20, "two lines [31m"}, {"éééé", 3, "ééé..."}, {"a\xffb", 9, "a\uFFFDb"}, {"\n", 9, ""},
	} {
		if got := Line(c.in, c.most); got != c.want {
			t.Errorf("Line(%q, %d) is %q, want %q", c.in, c.most, got, c.want)
		}
	}
}

func TestTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain 好 😀":    "plain 好 😀",
		"\x1b[31m\ta":  `\x1b[31m    a`,
		"\u202eevil":   `\u202eevil`,
		"\u2028\u061c": `\u2028\u061c`,
	} {
		if got := Terminal(in); got != want {
			t.Errorf("Terminal(%q) is %q, want %q", in, got, want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("some words and averyveryverylongword", 10)
	f.Add("好 好好好 好", 4)
	f.Add("   ", 1)
	f.Fuzz(func(t *testing.T, line string, width int) {
		if width < 2 || width > 200 || strings.Contains(line, "\n") {
			return
		}
		line = Terminal(strings.ToValidUTF8(line, "?"))
		parts := Wrap(line, width)
		for _, p := range parts {
			if w := textWidth(p); w > width {
				t.Errorf("%q has %d columns of %d", p, w, width)
			}
			if strings.ContainsFunc(p, unsafe) {
				t.Errorf("%q holds a control character", p)
			}
		}
		if got, want := strings.ReplaceAll(strings.Join(parts, ""), " ", ""), strings.ReplaceAll(line, " ", ""); got != want {
			t.Errorf("wrapping made %q of %q", got, want)
		}
	})
}
