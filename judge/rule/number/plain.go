package number

import (
	"regexp"
	"strings"
)

// thin is a blank that groups digits: 1 234.
const thin = "\u2009"

var (
	// styles are LaTeX's commands that change only how a text looks.
	styles = regexp.MustCompile(`\\(?:(?:text)?color\{[^{}]*\}|(?:text(?:bf|it|rm|sf|tt|sl|sc|up|normal)|math(?:rm|bf|it|sf|tt|bin|ord|normal)|hbox|emph|boldsymbol|bm|bf|rm|it|large|Large|LARGE|huge|Huge|small|normalsize|textstyle)\b)`)

	// abbreviated are words before a number whose full stop is no decimal point.
	abbreviated = regexp.MustCompile(`(?i)\b(Rs|kr|Fr|Nr|No)\.(\d)`)

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
	text = styles.ReplaceAllString(text, "")
	text = abbreviated.ReplaceAllString(text, "$1. $2")
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
