package scripts

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/train"
)

// TestMemory trains with the program that HERD names. It compares the peak memory of the
// process, as reported by the system, with the plan that the run printed before its first
// step. In one run the arrays of the model take most of the memory, in the other the
// examples. Both write checkpoints.
func TestMemory(t *testing.T) {
	h := program{t: t, path: os.Getenv("HERD"), dir: t.TempDir()}
	if h.path == "" {
		t.Skip("set HERD to the path of the program to check")
	}
	for _, c := range []struct {
		name     string
		words    int // of text
		settings []string
	}{
		{"arrays", 40_000, []string{
			"vocab_size=4096", "architecture={hidden_size: 288, intermediate_size: 768, num_hidden_layers: 6, num_attention_heads: 6, num_key_value_heads: 3}",
			"batch_tokens=2048", "micro_tokens=2048", "steps=4", "checkpoint_every=2",
		}},
		{"examples", 4_000_000, []string{
			"vocab_size=4096", "architecture={hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 1, num_key_value_heads: 1}",
			"batch_tokens=8192", "micro_tokens=512", "steps=60", "checkpoint_every=20",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := h.in(t)
			h.write(c.name+".txt", text(c.words))
			h.output("data", "import", c.name+".txt", "--split", "paragraphs", "--out", c.name+".arrow")
			plan, peak := h.trains(c.name, c.settings)
			t.Logf("planned %s, at most %s", memory.Bytes(plan.Planned), memory.Bytes(peak))
			if off := float64(peak)/float64(plan.Planned) - 1; math.Abs(off) > 0.05 {
				t.Errorf("%s were planned, it took %s: %+.1f%%", memory.Bytes(plan.Planned), memory.Bytes(peak), 100*off)
			}
		})
	}
}

// trains pretrains a model on a table and returns the planned memory and the peak of the
// process.
func (h program) trains(name string, settings []string) (plan train.Memory, peak int64) {
	h.t.Helper()
	args := []string{"pretrain", "--data", name + ".arrow", "--out", name, "--json"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	cmd := h.command(args...)
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("herd %s: %v", strings.Join(args, " "), err)
	}
	var first train.Plan
	if err := json.NewDecoder(strings.NewReader(string(out))).Decode(&first); err != nil {
		h.t.Fatal(err)
	}
	return first.Memory, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10 // kB
}

// text returns long paragraphs from 20,000 different words, some much more frequent than
// others.
func text(words int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for i := range words {
		k := int(20_000 * math.Pow(rng.Float64(), 4))
		fmt.Fprintf(&b, "%c%c%c%c", 'a'+k%26, 'a'+k/26%26, 'a'+k/676%26, 'a'+(k/17576+k)%26)
		if i%2000 == 1999 {
			b.WriteString(".\n\n")
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
