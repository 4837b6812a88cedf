package report

// Report summarises a table of samples. Fields for missing data (scores, correctness) are nil.
// Lengths are in tokens if the table has the ids of its responses, otherwise in characters; see
// Length.Unit.
type Report struct {
	Title   string `json:"title,omitempty"`
	Prompts int    `json:"prompts"`
	Samples int    `json:"samples"`
	Fewest  int    `json:"fewest_samples"` // smallest number of samples of a prompt
	Most    int    `json:"most_samples"`
	Missing int    `json:"missing_samples"` // numbers k below a prompt's last one without a sample

	Distinct *Estimate `json:"distinct"` // different texts per prompt
	CutOff   *Estimate `json:"cut_off"`  // share of truncated samples

	Length  Length       `json:"length"`
	Score   *Numbers     `json:"score,omitempty"`
	Reward  *Numbers     `json:"reward,omitempty"` // rewards of the reward model, if they differ from the scores
	Correct *Correctness `json:"correct,omitempty"`

	PassAtK    []Point     `json:"pass_at_k,omitempty"`
	BestOfN    *BestOfN    `json:"best_of_n,omitempty"`
	LengthBias *LengthBias `json:"length_bias,omitempty"`

	Examples []Example `json:"examples,omitempty"`
	Method   Method    `json:"method"`
}

// Estimate is a mean over prompts with its 95% confidence interval. The interval is nil if there is
// only one prompt.
type Estimate struct {
	Value   float64  `json:"value"`
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Prompts int      `json:"prompts"` // number of prompts in the mean
}

// Method describes how the intervals were computed, so that you can reproduce them.
type Method struct {
	Interval  string  `json:"interval"`
	Level     float64 `json:"level"`
	Resamples int     `json:"resamples"`
	Groups    int     `json:"groups"` // groups of prompts that are resampled together; one prompt each, unless there are very many
	Seed      uint64  `json:"seed"`
}

// Point is an estimate for a number of samples per prompt.
type Point struct {
	Samples int `json:"samples"`
	Estimate
	LeftOut int `json:"left_out"` // prompts with fewer judged samples
}

// BestOfN holds the results of choosing the best of n samples.
type BestOfN struct {
	Score   []Point `json:"score,omitempty"`   // expected highest score
	Correct []Point `json:"correct,omitempty"` // how often the sample with the highest reward is correct
}

// Numbers describes the distribution of scores or rewards over all samples.
type Numbers struct {
	Distribution
	Mean      *Estimate  `json:"mean"`          // mean over prompts, weighted by their samples
	Best      *Estimate  `json:"best"`          // mean of each prompt's highest
	Level     int        `json:"level_prompts"` // prompts with equal values for all samples
	Missing   int        `json:"missing"`       // samples without a value
	Histogram *Histogram `json:"histogram"`
}

// Distribution holds quantiles by nearest rank.
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
// Low + (i+1) Width. The first and the last bin include outliers.
type Histogram struct {
	Low     float64 `json:"low"`
	Width   float64 `json:"width"`
	All     []int   `json:"all"`               // all samples
	Correct []int   `json:"correct,omitempty"` // correct samples, if a rule judged them
	Best    []int   `json:"best"`              // highest value of each prompt
	Clipped int     `json:"clipped"`           // outliers in the first and the last bin
}

// Length describes the lengths of responses.
type Length struct {
	Unit string    `json:"unit"` // tokens or characters
	Mean *Estimate `json:"mean"`
	Distribution
}

// Correctness summarises the verdicts of a rule.
type Correctness struct {
	Share    *Estimate `json:"share"` // share of correct samples among the judged ones
	Judged   int       `json:"judged"`
	Unjudged int       `json:"unjudged"`
	Never    Solved    `json:"never_solved"`
	Always   Solved    `json:"always_solved"`
	Between  int       `json:"sometimes_solved"`

	// Agreement is the probability that the reward is higher for a correct response than for a
	// wrong response to the same prompt; equal rewards count half. It is the mean over the prompts
	// that have both.
	Agreement *Estimate `json:"reward_agreement,omitempty"`
}

// Solved has the number of prompts and the ids of a few.
type Solved struct {
	Prompts int      `json:"prompts"`
	IDs     []string `json:"ids,omitempty"`
}

// LengthBias describes how the length of a response correlates with its score and correctness. It
// compares only responses to the same prompt, so that hard prompts with long answers do not affect
// it.
type LengthBias struct {
	Score   *Estimate `json:"score,omitempty"`   // mean rank correlation (Spearman) with the score
	Correct *Estimate `json:"correct,omitempty"` // mean rank correlation with correctness
	LeftOut int       `json:"left_out"`          // prompts with fewer than three samples, or with equal scores or lengths

	All     *Estimate `json:"all"`               // mean length of all responses
	Winners *Estimate `json:"winners,omitempty"` // mean length of the responses with the highest score of their prompt
	Losers  *Estimate `json:"losers,omitempty"`  // mean length of the responses with the lowest score
	Right   *Estimate `json:"right,omitempty"`   // mean length of correct responses
	Wrong   *Estimate `json:"wrong,omitempty"`   // mean length of wrong responses

	Bins              []LengthBin `json:"bins,omitempty"`
	WorthALook        bool        `json:"worth_a_look"` // Score is beyond ±0.1 and its interval excludes 0
	CorrectWorthALook bool        `json:"correctness_worth_a_look"`
}

// LengthBin is the mean score of responses with similar lengths. Length and score are differences
// from the means of their prompt.
type LengthBin struct {
	From    float64   `json:"from"`
	To      float64   `json:"to"`
	Length  float64   `json:"length"` // mean
	Samples int       `json:"samples"`
	Score   *Estimate `json:"score"`
}

// Example is a prompt with its best, its median and its worst response. herd cuts the middle of
// long texts and makes control characters visible.
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
	Rank    string   `json:"rank"` // best, median, worst; sample if no response is better than another
	K       int      `json:"k"`
	Score   *float64 `json:"score,omitempty"`
	Reward  *float64 `json:"reward,omitempty"` // reward, if it differs from the score
	Correct *bool    `json:"correct,omitempty"`
	Note    string   `json:"note,omitempty"`
	Finish  string   `json:"finish"`
	Tokens  int      `json:"tokens"`
	Text    string   `json:"text"`
}
