package config_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/judge/rule"
	"github.com/herd-lm/herd/rejection"
	"github.com/herd-lm/herd/sft"
)

// TestRecordRoundTrip: a record in JSON sets all settings again, bit for bit.
func TestRecordRoundTrip(t *testing.T) {
	tune := sft.Defaults()
	tune.Model, tune.Chats, tune.Out = "base", []string{"a: [b] #1.arrow", `c"d\e.arrow`}, "out"
	tune.LearningRate, tune.Epsilon, tune.WeightDecay = 1.0/3, math.SmallestNonzeroFloat64, 5e300
	tune.Seed, tune.Precision, tune.Recompute, tune.CheckpointEvery = math.MaxUint64, kernel.BF16, model.RecomputeLayer, 0
	tune.LoRA.R, tune.LoRA.TargetModules = 2, []string{"q_proj", "null", "yes", "1e3", "<&>"}
	draw := rejection.Defaults()
	draw.Prompts, draw.Engine.Timeout, draw.Engine.Model = []string{"p"}, 90*time.Second, "x/y: z"
	draw.StopStrings = []string{"\n", "\u2028", "a, b", "", "}", "- ", "日本\x01"}
	draw.Check = rule.Settings{Kind: "schema", Schema: `{"type": "object", "x": "<\n>"}`}
	label := 3
	draw.RemoteReward.Label = &label
	for _, c := range []struct{ from, to any }{{&tune, ptr(sft.Defaults())}, {&draw, ptr(rejection.Defaults())}} {
		for _, p := range config.Paths(c.from) {
			p.Map(config.Absolute)
		}
		r, err := config.RecordOf(c.from, c.from)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(r, "", "   ")
		if err != nil {
			t.Fatal(err)
		}
		var read config.Record
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.Settings, read.Settings) || !reflect.DeepEqual(r.Paths, read.Paths) {
			t.Errorf("read %s, wrote %s", read, r)
		}
		if err := config.Load("", read.Assignments("record"), c.to); err != nil {
			t.Fatal(err)
		}
		if out := config.PathOf(c.to, config.Out).Value; out.IsZero() {
			out.Set(config.PathOf(c.from, config.Out).Value)
		} else {
			t.Errorf("the record has the output directory %s", out)
		}
		want, _ := json.Marshal(c.from)
		if got, _ := json.Marshal(c.to); string(got) != string(want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestRecordParts: what affects no result is apart, and so are paths.
func TestRecordParts(t *testing.T) {
	s := sft.Defaults()
	s.Model, s.Out = "base", "out"
	counts := s
	counts.BatchRows, s.BatchRows = 0, 3
	r, err := config.RecordOf(s, counts)
	if err != nil {
		t.Fatal(err)
	}
	base, err := filepath.Abs("base")
	if err != nil {
		t.Fatal(err)
	}
	path, _ := json.Marshal(base)
	if string(r.Execution["batch_rows"]) != "3" || string(r.Execution["recompute"]) != `"none"` || len(r.Execution) != 3 {
		t.Errorf("execution %s", r.Execution)
	}
	if string(r.Paths["model"]) != string(path) || len(r.Paths) != 1 {
		t.Errorf("paths %s", r.Paths)
	}
	if string(r.Settings["epochs"]) != "2" || string(r.Settings["lora.r"]) != "0" || r.Settings["model"] != nil || r.Settings["batch_rows"] != nil || r.Settings["lora"] != nil {
		t.Errorf("settings %s", r.Settings)
	}
	s.LearningRate = math.NaN()
	if _, err := config.RecordOf(s, s); err == nil {
		t.Error("NaN has a record")
	}
}

func ptr[T any](v T) *T { return &v }
