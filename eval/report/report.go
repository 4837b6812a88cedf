package report

// Report is what can be said of a table of samples. What a table does not tell
// (scores, correctness) is nil. Lengths are in tokens if the table has the ids
// of its responses, else in characters: Length.Unit.
type Report struct {
	Title   string `json:"title,omitempty"`
	Prompts int    `json:"prompts"`
	Samples int    `json:"samples"`
	Fewest  int    `json:"fewest_samples"` // of a prompt
	Most    int    `json:"most_samples"`
	Missing int    `json:"missing_samples"` // numbers k below a prompt's last that it has no sample of

	Distinct *Estimate `json:"distinct"` // different texts of a prompt
	CutOff   *Estimate `json:"cut_off"`  // share of the samples that did not end by themselves

	Length  Length       `json:"length"`
	Score   *Numbers     `json:"score,omitempty"`
	Reward  *Numbers     `json:"reward,omitempty"` // of the reward model, where it is not the score
	Correct *Correctness `json:"correct,omitempty"`

	PassAtK    []Point     `json:"pass_at_k,omitempty"`
	BestOfN    *BestOfN    `json:"best_of_n,omitempty"`
	LengthBias *LengthBias `json:"length_bias,omitempty"`

	Examples []Example `json:"examples,omitempty"`
	Method   Method    `json:"method"`
}

// Estimate is a mean over prompts with its 95% confidence interval, which is nil
// where one prompt is all there is.
type Estimate struct {
	Value   float64  `json:"value"`
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Prompts int      `json:"prompts"` // that it is a mean of
}

// Method says how the intervals were computed, so that they can be again.
type Method struct {
	Interval  string  `json:"interval"`
	Level     float64 `json:"level"`
	Resamples int     `json:"resamples"`
	Groups    int     `json:"groups"` // of prompts that are drawn together; as many as prompts, but for very many
	Seed      uint64  `json:"seed"`
}

// Point is an estimate of what a number of samples per prompt gives.
type Point struct {
	Samples int `json:"samples"`
	Estimate
	LeftOut int `json:"left_out"` // prompts with fewer samples that could be judged
}

// BestOfN is what choosing the best of n samples gives.
type BestOfN struct {
	Score   []Point `json:"score,omitempty"`   // expected score of the highest
	Correct []Point `json:"correct,omitempty"` // how often the one that the reward prefers is correct
}

// Numbers is how scores or rewards are distributed over all samples.
type Numbers struct {
	Distribution
	Mean      *Estimate  `json:"mean"`          // over prompts, each with the weight of its samples
	Best      *Estimate  `json:"best"`          // of each prompt's highest
	Level     int        `json:"level_prompts"` // prompts whose samples are all worth the same
	Missing   int        `json:"missing"`       // samples without one
	Histogram *Histogram `json:"histogram"`
}

// Distribution is how numbers are spread: their quantiles by nearest rank.
type Distribution struct {
	Count int     `json:"count"`
	Min   float64 `json:"min"`
	P10   float64 `json:"p10"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Histogram counts in bins of equal width. Bin i goes from Low + i Width to
// Low + (i+1) Width. What lies far out is counted in the first or last bin.
type Histogram struct {
	Low     float64 `json:"low"`
	Width   float64 `json:"width"`
	All     []int   `json:"all"`               // samples
	Correct []int   `json:"correct,omitempty"` // those that are correct, where that was checked
	Best    []int   `json:"best"`              // of each prompt, the highest
	Clipped int     `json:"clipped"`           // samples beyond the first and the last bin
}

// Length is how long responses are.
type Length struct {
	Unit string    `json:"unit"` // tokens or characters
	Mean *Estimate `json:"mean"`
	Distribution
}

// Correctness is what a checker said.
type Correctness struct {
	Share    *Estimate `json:"share"` // of the samples that were judged
	Judged   int       `json:"judged"`
	Unjudged int       `json:"unjudged"`
	Never    Solved    `json:"never_solved"`
	Always   Solved    `json:"always_solved"`
	Between  int       `json:"sometimes_solved"`

	// Agreement is the probability that of a correct and a wrong response to one
	// prompt the reward prefers the correct one; equal rewards count half. It is the
	// mean over the prompts that have both.
	Agreement *Estimate `json:"reward_agreement,omitempty"`
}

// Solved counts prompts and names a few.
type Solved struct {
	Prompts int      `json:"prompts"`
	IDs     []string `json:"ids,omitempty"`
}

// LengthBias is how the length of a response goes with what it is worth, among
// the responses to one prompt: prompts that are hard and want long answers do not
// show in it.
type LengthBias struct {
	Score   *Estimate `json:"score,omitempty"`   // mean rank correlation (Spearman) with the score
	Correct *Estimate `json:"correct,omitempty"` // and with correctness
	LeftOut int       `json:"left_out"`          // prompts with fewer than three samples, or whose scores or lengths are equal

	All     *Estimate `json:"all"`               // mean length
	Winners *Estimate `json:"winners,omitempty"` // of the highest score of a prompt
	Losers  *Estimate `json:"losers,omitempty"`  // of the lowest
	Right   *Estimate `json:"right,omitempty"`   // of correct responses
	Wrong   *Estimate `json:"wrong,omitempty"`   // of the others

	Bins              []LengthBin `json:"bins,omitempty"`
	WorthALook        bool        `json:"worth_a_look"` // Score is beyond ±0.1 and its interval does not hold 0
	CorrectWorthALook bool        `json:"correctness_worth_a_look"`
}

// LengthBin is the mean score of responses of similar length. Length and score
// are differences to the means of their prompt.
type LengthBin struct {
	From    float64   `json:"from"`
	To      float64   `json:"to"`
	Length  float64   `json:"length"` // mean
	Samples int       `json:"samples"`
	Score   *Estimate `json:"score"`
}

// Example is a prompt with its best, its median and its worst response. Long
// texts are cut in their middle, and what is no text is made visible.
type Example struct {
	ID        string     `json:"id"`
	Samples   int        `json:"samples"`
	Prompt    []Turn     `json:"prompt"`
	Responses []Response `json:"responses"`
}

// Turn is a message of a prompt.
type Turn struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

// Response is one candidate.
type Response struct {
	Rank    string   `json:"rank"` // best, median, worst; sample where none is better
	K       int      `json:"k"`
	Score   *float64 `json:"score,omitempty"`
	Reward  *float64 `json:"reward,omitempty"` // where it is not the score
	Correct *bool    `json:"correct,omitempty"`
	Note    string   `json:"note,omitempty"`
	Finish  string   `json:"finish"`
	Tokens  int      `json:"tokens"`
	Text    string   `json:"text"`
}
