package number

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDecorations crosses marks with what people put around a number. Every text goes on with
// another number. The marked number counts; where it cannot be read, the text has no answer, and
// never the other number.
func TestDecorations(t *testing.T) {
	marks := []string{
		"#### %s", "####%s", "####\n%s", "The answer is %s", "the answer is: %s", "Answer: %s", "Answer:\n%s", "**Answer:** %s", "**Answer**: %s",
		"Final answer: %s", "**Final Answer**\n\n%s", "### Final Answer\n%s", "The final answer is %s", "So the answer would be %s", "Answer = %s", "\\boxed{%s}", "$\\boxed{%s}$",
		"<answer>%s</answer>", "<answer>\n%s\n</answer>", "Ans: %s", "Answer - %s", "Answer → %s", "## Answer\n%s", "**Answer**\n%s", "Answer\r\n%s", "| Answer | %s |", "The answer to question 5 is %s", "So the answer's %s", "答案：%s",
		"Answer:\n> %s", "Answer:\n---\n%s",
		"Answer (in dollars): %s", "The answer, in dollars, is %s", "The answer should therefore be %s", "The answer I got is %s", "**Answer** %s", "Final answer below:\n%s", "\\textbf{Answer}: %s", "The answer\nis %s", "Final answer. %s",
		"The answer seems to be %s", "The answer works out to %s", "The answer turns out to be %s", "The answer has to be %s", "Answers: %s",
	}
	numbers := []string{
		"12", "`12`", "'12'", "\"12\"", "“12”", "‘12’", "«12»", "**12**", "__12__", "_12_", "*12*", "(12)", "[12]", "$12", "US$12", "USD 12", "EUR 12", "€12", "12€", "12 €", "12 USD", "12 dollars",
		"£12.00", "Rs. 12", "₹12", "12%%", "12\\%%", "$12$", "\\$12", "\\(12\\)", "\\text{12}", "\\textbf{12}", "\\mathbf{12}", "\\underline{12}", "12 apples", "12 cm", "12.", "12!", "≈ 12", "= 12", "about 12", "exactly 12",
		"**$12**", "**`12`**", "x = 12", "✅ 12", "<b>12</b>", "12.0", "+12", "24/2",
		"₩12", "₽12", "A$12", "R$12", "Rs.12", "SGD 12", "kr 12", "12\u00a0€", "\\emph{12}", "\\mathrm{12\\,cm}", "\\large 12", "\\textcolor{red}{12}", "「12」",
	}
	unreadable := []string{"twelve", "a dozen", "12 or 14", "between 12 and 14", "XII", "0x0C", "∞", "12 ± 1", "√144", "?!", "n/a", "∅", "十二"}
	for _, mark := range marks {
		for _, rest := range []string{"\nTook 13 s.", ". I checked it 13 times.", "\n\nTook 13 s.", " "} {
			for _, n := range numbers {
				if strings.Contains(mark, "boxed") && n == "12!" { // a factorial
					continue
				}
				text := fmt.Sprintf(mark, strings.ReplaceAll(n, "%%", "%")) + rest
				if a, err := Find(text); err != nil || a.String() != "12" {
					t.Errorf("%q reads as %s, %v", text, a, err)
				}
			}
			for _, n := range unreadable {
				if a, err := Find(fmt.Sprintf(mark, n) + rest); err == nil {
					t.Errorf("%q reads as %s", fmt.Sprintf(mark, n)+rest, a)
				}
			}
		}
	}
}

// TestUnreadMarks: a mark without a readable number ends the search, unless it is a title.
func TestUnreadMarks(t *testing.T) {
	for text, want := range map[string]string{
		"The answer is clear. There are 13 apples.":  none,
		"Answer: He has a dozen eggs. It took 13 s.": none,
		"####\n":                                                none,
		"#### twelve\nTook 13 s.":                               none,
		"#### Summary\nSo \\boxed{12}":                          "12",
		"#### Summary\nThe answer is 12, after 13 s.":           "12",
		"#### Step 1: think\nIt is 12":                          "12",
		"The answer is 12. I hope this answer is helpful to 13": none,
		"The answer is 12. I hope this answer is helpful":       "12",
		"The answer is 13. Wait, the answer is twelve.":         none,
		"Answer: he has 12 apples left":                         "12",
		"Answer: after 13 days":                                 none,
		"Answer: more than 13":                                  none,
		"Answer: 12 apples and 13 pears":                        none,
		"#### 12 ####":                                          "12",
		"Answer: 13? No.\nFinal answer: none of these":          none,
		"Answer: 13\nFinal answer: ∞":                           none,
		"Answer: let me think.\n5 and 7, so the answer is 12.":  "12",
		"The answer is 12.\nAnswer:":                            "12",
		"So it is 12, as in the answer (see above).":            "12",
		"Of 13 eggs he has sold one, the answer (12) is clear":  "12",
		"The answer, after 13 steps, is 12. Took 13 s.":         "12",
		"Answer [12]\nTook 13 s.":                               "12",
		"Answer: >13":                                           none,
		"The answer isn't 13.":                                  none,
		"The answer cannot be 13.":                              none,
		"The answer can’t be 13. It took 13 s.":                 none,
		"The answer isn't 13. The answer is 12.":                "12",
		"Answer: ½\nTook 13 s.":                                 "0.5",
		"{\"answer\": 12, \"time\": 13}":                        "12",
		"{\"final_answer\": \"$12\"}\nTook 13 s.":               "12",
		"{'answer': 'twelve'}\nTook 13 s.":                      none,
		"<answer>twelve</answer> 13":                            none,
		"<answer></answer>\n13":                                 none,
		"#### The answer is 12\nTook 13 s.":                     "12",
		"The answer is -₹12. Took 13 s.":                        "-12",
		"| Step | Answer |\n|---|---|\n| 1 | 13 |":              none,
		"I answer - after 3 days - that it is 12":               "12",
	} {
		a, err := Find(text)
		if got := a; err == nil && got.String() != want || err != nil && want != none {
			t.Errorf("%q reads as %v, %v, want %q", text, a, err, want)
		}
	}
}

// TestNeverAnotherNumber puts random decoration around the marked number. herd may fail to read it,
// but never takes the other number for the answer.
func TestNeverAnotherNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	marks := []string{"#### %s", "Answer: %s", "**Answer:** %s", "Answer:\n%s", "The final answer is %s", "\\boxed{%s}", "<answer>%s</answer>", "{\"answer\": %s}", "The answer to this is %s", "# Answer\n\n%s"}
	pieces := []string{" ", "*", "**", "_", "`", "'", "\"", "$", "€", "\\$", "\\,", "\\text{", "}", "{", "(", ")", "[", "]", "\\(", "\\)", "USD", " apples", "%", "\\%", "≈", "=", "x", "<b>", "</b>", "→", "~", "|", "“", "”", "#", "\n", "^2", "!", "?", "…", "·", "–", "🙂", "\u00a0", "\u200b", "about ", "kg", ";", "@", "&"}
	some := func(most int) (s string) {
		for range r.IntN(most + 1) {
			s += pieces[r.IntN(len(pieces))]
		}
		return s
	}
	read := 0
	for range 20_000 {
		text := fmt.Sprintf(marks[r.IntN(len(marks))], some(4)+"12"+some(3)) + "\nTook 13 s."
		a, err := Find(text)
		if err != nil {
			continue
		}
		if read++; a.String() == "13" {
			t.Errorf("%q reads as %s", text, a)
		}
	}
	if read < 5_000 {
		t.Errorf("only %d of 20000 texts can be read", read)
	}
}
