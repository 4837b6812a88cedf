package serve

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/sample"
)

func scrape(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMetrics checks the metrics after two answers and an error.
func TestMetrics(t *testing.T) {
	e := saying(nil, 1, 2, 3)
	e.stats = sample.Stats{Running: 3, Waiting: 4, CacheBytes: 5, CacheLimit: 6, PromptTokens: 7, SharedTokens: 8, Preempted: 9}
	s, at := start(t, nil, modelOf(t, `odd"name\`, e))
	for range 2 {
		whole(t, at.URL+"/v1/completions", `{"prompt":[[1,2]],"n":2}`)
	}
	whole(t, at.URL+"/v1/completions", `{"n":0}`)
	eventually(t, "all are counted", func() bool {
		none, _ := s.metrics.none.outcomes()
		return len(none) == 1
	})
	text := scrape(t, at.URL)
	for _, want := range []string{
		`herd_request_duration_seconds_count{model="odd\"name\\",endpoint="/v1/completions",code="200"} 2`,
		`herd_request_duration_seconds_bucket{model="odd\"name\\",endpoint="/v1/completions",code="200",le="600"} 2`,
		`herd_request_duration_seconds_count{model="",endpoint="/v1/completions",code="400"} 1`,
		`herd_time_to_first_token_seconds_count{model="odd\"name\\"} 2`,
		`herd_time_per_output_token_seconds_count{model="odd\"name\\"} 2`,
		`herd_prompt_tokens_total{model="odd\"name\\"} 4`,
		`herd_generation_tokens_total{model="odd\"name\\"} 12`,
		`herd_answers_running{model="odd\"name\\"} 0`,
		`herd_engine_running{model="odd\"name\\"} 3`,
		`herd_engine_waiting{model="odd\"name\\"} 4`,
		`herd_cache_bytes{model="odd\"name\\"} 5`,
		`herd_engine_shared_tokens_total{model="odd\"name\\"} 8`,
		`herd_engine_preempted_total{model="odd\"name\\"} 9`,
	} {
		if !slices.Contains(strings.Split(text, "\n"), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if err := checkFormat(text); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"x 1\n", "# TYPE x_total counter\nx_total 1\n", "# HELP x X.\n# TYPE x counter\nx 1\n", "# HELP x X.\n# TYPE x gauge\nx{a=\"b} 1\n",
		"# HELP x_seconds X.\n# TYPE x_seconds histogram\nx_seconds_bucket{a=\"b\",le=\"1\"} 2\nx_seconds_bucket{a=\"b\",le=\"2\"} 1\n",
	} {
		if checkFormat(bad) == nil {
			t.Errorf("planted: %q passes", bad)
		}
	}
}

var sampleLine = regexp.MustCompile(`^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$`)

// checkFormat checks a page of metrics against the text format and against promtool's
// rules: each metric has help and type, names fit the type, and buckets do not decrease.
func checkFormat(text string) error {
	kinds := map[string]string{}
	buckets := map[string]float64{} // the last of each histogram
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# HELP "):
			kinds[words[2]] = "?"
			continue
		case strings.HasPrefix(line, "# TYPE "):
			if kinds[words[2]] != "?" {
				return fmt.Errorf("%s has no help, or a type twice", words[2])
			}
			kinds[words[2]] = words[3]
			continue
		}
		m := sampleLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			return fmt.Errorf("no sample: %s", line)
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return err
		}
		if err := checkName(m[1], kinds); err != nil {
			return err
		}
		if series, _, is := strings.Cut(line, `,le="`); is {
			if value < buckets[series] {
				return fmt.Errorf("buckets fall: %s", line)
			}
			buckets[series] = value
		}
	}
	return nil
}

func checkName(name string, kinds map[string]string) error {
	base := name
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if short, is := strings.CutSuffix(name, suffix); is && kinds[short] == "histogram" {
			base = short
		}
	}
	kind := kinds[base]
	counts := strings.HasSuffix(base, "_total")
	if kind == "" || kind == "?" || (kind == "counter") != counts || kind == "histogram" && (base == name || !strings.HasSuffix(base, "_seconds")) {
		return fmt.Errorf("%s is a %q", name, kind)
	}
	return nil
}
