package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
)

// world draws rows like those of a run on problems with a number as answer. Each
// prompt has a difficulty; longer answers are right a little more often, and the
// reward likes length besides.
type world struct {
	*rand.Rand
	checker, reward, ids bool
	cut                  float64
}

func newWorld(seed uint64) world {
	return world{Rand: rand.New(rand.NewPCG(seed, 3)), checker: true, reward: true, ids: true, cut: 0.02}
}

func (w world) rows(prompts int, samples func(int) int) []table.Sample {
	rows := make([]table.Sample, prompts)
	for i := range rows {
		a, b := w.IntN(900)+100, w.IntN(90)+10
		rows[i] = table.Sample{
			Origin: table.Origin{ID: fmt.Sprintf("s-%d", i), Parents: []string{fmt.Sprintf("gsm8k-%05d", i)}},
			Prompt: []chat.Message{{Role: "user", Content: fmt.Sprintf("A herd of %d goats grows by %d every spring. How many goats are there after 3 springs?", a, b)}},
		}
		difficulty := w.NormFloat64() * 2
		for k := range samples(i) {
			rows[i].Candidates = append(rows[i].Candidates, w.candidate(k, difficulty, a, b))
		}
	}
	return rows
}

func (w world) candidate(k int, difficulty float64, a, b int) table.Candidate {
	length := int(60 + 40*math.Exp(w.NormFloat64()*0.5))
	right := w.NormFloat64()-difficulty+float64(length-105)/80 > 0
	answer := a + 3*b
	if !right {
		answer += w.IntN(20) + 1
	}
	c := table.Candidate{K: k, Finish: "stop", Seed: w.Uint64(), Text: w.reasoning(length, a, b) + fmt.Sprintf("\n#### %d", answer)}
	if w.ids {
		c.IDs = make([]token.ID, length)
	}
	if w.Float64() < w.cut {
		c.Finish, c.Text, right = "length", w.reasoning(length, a, b), false
	}
	if w.checker {
		c.Correct, c.Score = &right, new(float64)
		if right {
			*c.Score = 1
		} else {
			c.Note = fmt.Sprintf("%d, expected %d", answer, a+3*b)
		}
	}
	if w.reward {
		x := 0.8*w.NormFloat64() + 1.2*truth(&right) + float64(length-105)/60 - difficulty/4
		c.Reward, c.Score = &x, &x
	}
	return c
}

func (w world) reasoning(length, a, b int) string {
	parts := []string{
		fmt.Sprintf("We begin with %d goats. ", a), fmt.Sprintf("Every spring brings %d more. ", b),
		fmt.Sprintf("Three springs bring 3 × %d = %d. ", b, 3*b), "Let us see what that means. ", "So we add what came to what was there. ",
	}
	var s strings.Builder
	for s.Len() < 4*length {
		s.WriteString(parts[w.IntN(len(parts))])
	}
	return s.String()
}

func each(k int) func(int) int { return func(int) int { return k } }

// tables are samples of all kinds that a report must be able to show.
func tables() map[string][]table.Sample {
	plain, rewarded, checked, cut, short := newWorld(1), newWorld(2), newWorld(3), newWorld(4), newWorld(5)
	rewarded.checker, checked.reward, cut.cut, short.ids = false, false, 1, false
	cut.checker = false
	neither := newWorld(6)
	neither.checker, neither.reward = false, false
	return map[string][]table.Sample{
		"full":     plain.rows(200, each(30)),
		"reward":   rewarded.rows(200, each(30)),
		"checker":  checked.rows(200, each(30)),
		"neither":  neither.rows(20, each(4)),
		"single":   plain.rows(200, each(1)),
		"one":      plain.rows(1, each(8)),
		"pair":     plain.rows(1, each(1)),
		"cut":      cut.rows(50, each(8)),
		"equal":    equal(short.rows(50, each(8))),
		"many":     plain.rows(60, each(100)),
		"mixed":    plain.rows(120, func(i int) int { return i % 17 }),
		"letters":  short.rows(60, each(10)),
		"outliers": outliers(rewarded.rows(100, each(10))),
		"hostile":  hostile(),
		"empty":    nil,
	}
}

func equal(rows []table.Sample) []table.Sample {
	for _, row := range rows {
		for k := range row.Candidates {
			x, yes := 0.5, true
			row.Candidates[k].Score, row.Candidates[k].Reward, row.Candidates[k].Correct = &x, nil, &yes
			row.Candidates[k].Text = "the same"
		}
	}
	return rows
}

func outliers(rows []table.Sample) []table.Sample {
	for i, x := range []float64{-4000, 900, 1e99, -1e120, math.NaN(), math.Inf(1)} {
		rows[i].Candidates[0].Score = &x
	}
	return rows
}

// evil are texts that would be markup, orders to the page, or nothing to read.
var evil = []string{
	`<script>document.title="owned"</script>`, `"><img src=x onerror=alert(1)>`, `</style></svg><iframe src="javascript:alert(1)">`,
	`{{.Title}} ${alert(1)} <!-- ]]> -->`, "&lt;script&gt; &#60;b&#62; &amp;amp;", "' onmouseover='alert(1)",
	"\x00\x01\x1b[31mred\x7f\u0085 \r\n and \u202egnihtemos\u202c \u2066isolated\u2069 \ufeff\ufffe\uffff",
	"שלום עולם! هذا نص عربي طويل قليلا مع أرقام 123 و English في الوسط", "漢字かな交じり文。😀👩‍👩‍👧 e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
	strings.Repeat("Donaudampfschifffahrtsgesellschaft", 200), strings.Repeat("line\n", 3000), strings.Repeat("\t", 500), "", "\xff\xfe broken",
}

func hostile() []table.Sample {
	var rows []table.Sample
	for i, text := range evil {
		row := table.Sample{
			Origin: table.Origin{ID: text + fmt.Sprint(i), Parents: []string{text}},
			Prompt: []chat.Message{{Role: "system", Content: evil[(i+1)%len(evil)]}, {Role: text, Content: text}},
		}
		for k := range 5 {
			x, right := math.Pow(-1e9, float64(k)), k%2 == 0
			row.Candidates = append(row.Candidates, table.Candidate{
				Text: evil[(i+k)%len(evil)], Note: text, Finish: evil[(i+2*k)%len(evil)], K: k * k, Score: &x, Correct: &right,
			})
		}
		rows = append(rows, row)
	}
	return append(rows, table.Sample{}, table.Sample{Candidates: []table.Candidate{{}}})
}

func build(o Options, rows []table.Sample) *Report {
	b := New(o)
	for _, row := range rows {
		b.Add(row)
	}
	return b.Report()
}
