package number

import (
	"math/big"
	"strings"
	"testing"
)

// none is what a text reads as that has no number, or not one.
const none = ""

func TestFind(t *testing.T) {
	for _, c := range []struct{ text, want, mark string }{
		// Marks, by their rank.
		{"48 + 24 = <<48+24=72>>72 clips.\n#### 72", "72", "####"},
		{"The answer is 5. \\boxed{6}\n#### 7\nso 8", "7", "####"},
		{"The answer is 5. So \\boxed{6}, and 8", "6", `\boxed`},
		{"The answer is 5, as 3 of 8 are gone.", "5", "answer is"},
		{"Of 8 clips 3 are left", "3", ""},
		{"#### 72\nQuestion: What is 2 + 3?\n#### 5", none, ""},
		{"#### 72\n\n#### 72.0", "72", "####"},
		{"#### 1\n#### 2\n#### 3", none, ""},
		{"\\boxed{3} is wrong, rather \\boxed{4}", "4", `\boxed`},
		{"#### 72 #### 73", none, ""},
		{"The answer is 3. No, the answer is 4.", "4", "answer is"},
		{"#### Step 1: add\n5\n#### 2. Subtract\n**Answer:** 6", "6", "answer is"},
		{"Final Answer: $\\$18$ per day", "18", "answer is"},
		{"**Answer: \\$18 per day.**", "18", "answer is"},
		{"**Final Answer**: **73**", "73", "answer is"},
		{"The answer is: x = 5", "5", "answer is"},
		{"The answer is not 5 but 6", none, ""},
		{"To answer 5 questions takes 10 minutes", "10", ""},
		{"It is 12, so the answer is \\boxed{12", none, ""},
		{"Answer: 1. Take 5. 2. Add 7 to get 12", "12", ""},
		{"Answer:\n72", "72", "answer is"},
		{"The answer is 72 or 73", none, ""},
		{"The answer is 72 apples or 73 apples", none, ""},
		{"#### 70, 71, 72", none, ""},
		{"#### 10 - 20", none, ""},
		{"#### 10 to 20", none, ""},
		{"#### 48 clips + 24 clips", none, ""},
		{"#### 72 clips in 2 months", "72", "####"},

		// Numerals.
		{"#### 1,234.50", "1234.5", "####"},
		{"#### 109,200,000", "109200000", "####"},
		{"#### 1234.", "1234", "####"},
		{"#### 007", "7", "####"},
		{"#### .5", "0.5", "####"},
		{"#### 0.10", "0.1", "####"},
		{"#### 1,23", none, ""},
		{"#### 12,34,567", none, ""},
		{"#### 1.234.567", none, ""},
		{"#### 0,500", none, ""},
		{"#### 1\u00a0234\u202f567", "1234567", "####"},
		{"#### 1'000", "1000", "####"},
		{"#### 1 234", none, ""},
		{"#### 1_000", none, ""},
		{"#### 1.5e3", "1500", "####"},
		{"#### 1e-2", "0.01", "####"},
		{"#### 1e999999999", none, ""},
		{"#### " + strings.Repeat("9", 1000), none, ""},
		{"#### 2 million", "2000000", "####"},
		{"#### 1.5 Billion dollars", "1500000000", "####"},
		{"#### 5k", "5000", "####"},
		{"#### 5kg", "5", "####"},
		{"#### 0.1 + 0.2 = 0.3", "0.3", "####"},

		// Signs.
		{"#### -5", "-5", "####"},
		{"#### −5", "-5", "####"},
		{"#### –5", "-5", "####"},
		{"#### -$5", "-5", "####"},
		{"#### $-5", "-5", "####"},
		{"#### +5", "5", "####"},
		{"#### (-5)", "-5", "####"},
		{"#### x = - 5", "-5", "####"},
		{"#### **-5**", "-5", "####"},
		{"#### —5", none, ""},
		{"#### ±5", none, ""},
		{"It fell from 10 to -3.", none, ""},
		{"It fell from 10 degrees to -3.", "-3", ""},
		{"We lost:\n- 5 sheep", none, ""},
		{"We lost:\n* 5 sheep", "5", ""},

		// Units.
		{"#### $5", "5", "####"},
		{"#### 50%", "50", "####"},
		{"#### 50 \\%", "50", "####"},
		{"#### 5€", "5", "####"},
		{"#### 20 m^2", "20", "####"},
		{"#### 20 cm²", "20", "####"},
		{"#### 60 km/h", "60", "####"},
		{"#### 90°", "90", "####"},
		{"#### 90^\\circ", "90", "####"},
		{"H2O and CO2 are 2 molecules", "2", ""},
		{"H2O", none, ""},
		{"答案是72个。", "72", "answer is"},

		// Fractions.
		{"#### 3/4", "0.75", "####"},
		{"#### 10 / 3", "10/3", "####"},
		{"#### -3/4", "-0.75", "####"},
		{"#### 3/0", none, ""},
		{"#### 1/2/3", none, ""},
		{"#### 2 1/2", "2.5", "####"},
		{"#### -2 1/2", "-2.5", "####"},
		{"#### 4 10/3", none, ""},
		{"#### 2½", "2.5", "####"},
		{"#### ¾", "0.75", "####"},
		{"\\boxed{\\frac{3}{4}}", "0.75", `\boxed`},
		{"\\boxed{-\\dfrac{3}{4}}", "-0.75", `\boxed`},
		{"\\boxed{2\\frac{1}{2}}", "2.5", `\boxed`},
		{"\\boxed{\\frac12}", "0.5", `\boxed`},
		{"\\boxed{\\frac{1}{2}3}", none, ""},
		{"\\boxed{\\frac{x}{2}}", none, ""},

		// LaTeX.
		{"\\boxed{10{,}000}", "10000", `\boxed`},
		{"\\boxed{10,\\!000}", "10000", `\boxed`},
		{"\\boxed{10\\,000}", "10000", `\boxed`},
		{"\\boxed{\\$72.00}", "72", `\boxed`},
		{"\\boxed{72\\text{ clips}}", "72", `\boxed`},
		{"\\boxed{20\\text{ cm}^2}", "20", `\boxed`},
		{"\\fbox{72}", "72", `\boxed`},
		{"\\boxed {72}", "72", `\boxed`},
		{"\\boxed{x = 72}", "72", `\boxed`},
		{"\\boxed{(72)}", "72", `\boxed`},
		{"\\boxed{2, 3}", none, ""},
		{"\\boxed{\\{2\\}}", none, ""},
		{"\\boxed{2x}", none, ""},
		{"\\boxed{x + 2}", none, ""},
		{"\\boxed{2\\pi}", none, ""},
		{"\\boxed{2π}", none, ""},
		{"\\boxed{\\sqrt{16}}", none, ""},
		{"\\boxed{2\\sqrt{3}}", none, ""},
		{"\\boxed{2^{10}}", none, ""},
		{"\\boxed{5!}", none, ""},
		{"\\boxed{\\log(100)}", none, ""},
		{"\\boxed{log(100)}", none, ""},
		{"\\boxed{3 \\times 10^4}", none, ""},
		{"\\boxed{3(4)}", none, ""},
		{"\\boxed{}", none, ""},
		{"\\boxed{C}", none, ""},

		// The last number.
		{"It costs $29.00.", "29", ""},
		{"✅ Final result: **73**", "73", ""},
		{"It is _73_.", "73", ""},
		{"<b>73</b>", "73", ""},
		{"The total is 48 + 24 = 72!", "72", ""},
		{"48 clips + 24 clips = 72 clips", "72", ""},
		{"72 = 48 + 24", none, ""},
		{"There are 72 clips (48 + 24).", none, ""},
		{"There are 48 clips + 24 clips", none, ""},
		{"He makes $120*30=$<<120*30=3600>>3600 a month", "3600", ""},
		{"3 x 4 = 12", "12", ""},
		{"3 * 4 = 12", "12", ""},
		{"3 × 4 ⇒ 12", "12", ""},
		{"2^3", none, ""},
		{"2**3", none, ""},
		{"5²", none, ""},
		{"At 10:30", none, ""},
		{"x > 5", none, ""},
		{"5 ± 2", none, ""},
		{"Seventy-two", none, ""},
		{"", none, ""},
	} {
		a, err := Find(c.text)
		if err != nil {
			if c.want != none {
				t.Errorf("%q: %v, want %s", c.text, err, c.want)
			}
			continue
		}
		if a.String() != c.want || a.Mark != c.mark {
			t.Errorf("%q: %s marked %q, want %s marked %q", c.text, a, a.Mark, c.want, c.mark)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, text := range []string{
		"#### 1,234.50", "\\boxed{-2\\frac{1}{2}}", "the answer is 5k", "48 + 24 = 72", "1e308/1e-308", "½/2", "\xff5", "- −5 – 3", "\\frac",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Find(text)
		if err != nil {
			return
		}
		if len(a.String()) > longest {
			return
		}
		// What is read can be read again.
		b, err := Find("#### " + a.String())
		if err != nil || b.Value.Cmp(a.Value) != 0 {
			t.Errorf("%q is %s, which reads as %v, %v", text, a, b.Value, err)
		}
	})
}

// TestSpellings writes random numbers in many ways.
func TestSpellings(t *testing.T) {
	for n := int64(-2_000_000); n < 2_000_000; n += 30_011 {
		for _, text := range spellings(n) {
			want := big.NewRat(n, 100)
			if a, err := Find(text); err != nil || a.Value.Cmp(want) != 0 {
				t.Errorf("%q: %v, %v, want %s", text, a, err, want)
			}
		}
	}
}

// spellings writes n hundredths.
func spellings(n int64) []string {
	sign, digits := "", big.NewRat(n, 100).FloatString(2)
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	grouped := digits
	for i := len(digits) - len(".00") - 3; i > 0; i -= 3 {
		grouped = grouped[:i] + "," + grouped[i:]
	}
	return []string{
		sign + digits, sign + grouped, sign + "$" + grouped, sign + grouped + "0%.", "−" + digits[:0] + "0 = " + sign + grouped,
		"so\n#### " + sign + grouped, `thus $\boxed{` + sign + strings.ReplaceAll(grouped, ",", "{,}") + `\text{ kg}}$.`,
		"**Answer:** " + sign + "$" + grouped + " in 3 days", big.NewRat(n, 100).String(),
	}
}
