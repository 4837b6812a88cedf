package number

import (
	"regexp"
	"strings"
)

// thin is a blank that groups digits: 1 234.
const thin = "\u2009"

var (
	// notes are GSM8K's, for calculators: <<48/2=24>>.
	notes = regexp.MustCompile(`<<[^<>\n]*>>`)
	tags  = regexp.MustCompile(`</?[a-zA-Z][^<>\n]{0,60}>`)

	fraction = regexp.MustCompile(`(\d?)[ \t]*\\[dtc]?frac[ \t]*(?:\{[ \t]*([\d.,]+)[ \t]*\}[ \t]*\{[ \t]*([\d.,]+)[ \t]*\}|(\d)(\d))`)

	latex = strings.NewReplacer(
		`\$`, "$", `\%`, "%", `\#`, "#", `{,}`, ",", `,\!`, ",", `\!`, "", `\,`, thin,
		`\;`, " ", `\:`, " ", `\ `, " ", `~`, " ", `\quad`, " ", `\\`, "\n",
		`\(`, " ", `\)`, " ", `\[`, " ", `\]`, " ", `\left`, "", `\right`, "",
		`\textbf`, "", `\textit`, "", `\textrm`, "", `\text`, "", `\mathrm`, "", `\mathbf`, "", `\mbox`, "", `\underline`, "", `\displaystyle`, "", `\mathbin`, "",
		"`", " ", "“", `"`, "”", `"`, "„", `"`, "‘", " ", "’ ", " ", "«", `"`, "»", `"`,
		`\times`, "×", `\cdot`, "·", `\div`, "÷", `\pm`, "±", `\approx`, "≈",
		`^{\circ}`, "°", `^\circ`, "°", `\degree`, "°",
		`\rightarrow`, "=", `\Rightarrow`, "=", `\implies`, "=", `\to`, "=",
		"=>", "=", "->", "=", "→", "=", "⇒", "=",
	)
)

// plain returns text with LaTeX converted to plain text, and without tags.
func plain(text string) string {
	text = notes.ReplaceAllString(text, "")
	text = tags.ReplaceAllString(text, " ")
	text = fraction.ReplaceAllStringFunc(text, func(s string) string {
		m := fraction.FindStringSubmatch(s)
		before := m[1]
		if before != "" {
			before += " " // a mixed number: 2\frac{1}{2}
		}
		return before + m[2] + m[4] + "/" + m[3] + m[5] + " "
	})
	return latex.Replace(text)
}
