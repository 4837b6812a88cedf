package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

func newModelInfoCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "info DIR",
		Short:   "Describe a model directory",
		Example: "  herd model info base",
		Args:    operands("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := describeModel(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return jsonLines(cmd.OutOrStdout()).Encode(info)
			}
			return info.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// modelInfo describes a model without running it.
type modelInfo struct {
	Config     model.Config   `json:"config"`
	Base       string         `json:"base,omitempty"`    // of an adapter
	Adapter    *model.LoRA    `json:"adapter,omitempty"` // settings of the adapter
	Parameters int            `json:"parameters"`
	Groups     map[string]int `json:"groups"` // parameters by group
	DTypes     map[string]int `json:"dtypes"` // parameters by data type
	Bytes      int64          `json:"bytes"`  // of the weights' files
	Tokenizer  *tokenizerInfo `json:"tokenizer,omitempty"`
	Manifest   *run.Manifest  `json:"made_by,omitempty"`

	RunBytes     int64 `json:"run_bytes"`     // of memory for the weights
	ContextBytes int64 `json:"context_bytes"` // of memory for each token of context
	TrainBytes   int64 `json:"train_bytes"`   // without activations
}

type tokenizerInfo struct {
	Tokens   int      `json:"tokens"`
	Special  []string `json:"special"`
	Template string   `json:"template"` // as in template.NameOf
}

func describeModel(dir string) (*modelInfo, error) {
	at, err := model.Locate(dir, "")
	if err != nil {
		return nil, err
	}
	config, err := at.Config()
	if err != nil {
		return nil, err
	}
	info := &modelInfo{
		Config: config, Groups: make(map[string]int), DTypes: make(map[string]int),
		RunBytes:     config.TrainingBytes(false),
		ContextBytes: 2 * 4 * int64(config.Layers*config.KVHeads*config.HeadDim),
		TrainBytes:   config.TrainingBytes(true),
	}
	if at.Adapter != "" {
		lora, err := at.LoRA()
		if err != nil {
			return nil, err
		}
		info.Base, info.Adapter = at.Model, &lora
	}
	if err := info.weigh(at.Model); err != nil {
		return nil, err
	}
	if info.Tokenizer, err = describeTokenizer(at.Tokenizer()); err != nil {
		return nil, err
	}
	info.Manifest, err = ifPresent(run.ReadManifest(dir))
	return info, err
}

// ifPresent returns nil for the error of a missing file, else err.
func ifPresent[T any](v *T, err error) (*T, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return v, err
}

// weigh counts the parameters in the weights' files.
func (m *modelInfo) weigh(dir string) error {
	weights, err := checkpoint.OpenModel(dir)
	if err != nil {
		return err
	}
	defer weights.Close()
	for _, name := range weights.Names() {
		t, _ := weights.Info(name)
		m.Parameters += t.Len()
		m.Groups[groupOf(name)] += t.Len()
		m.DTypes[t.DType] += t.Len()
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	for _, f := range files {
		if stat, err := os.Stat(f); err == nil {
			m.Bytes += stat.Size()
		}
	}
	return err
}

// groupOf returns the part of a Llama that a tensor belongs to.
func groupOf(name string) string {
	for _, g := range []struct{ part, group string }{
		{"embed_tokens", "embedding"}, {"self_attn", "attention"}, {"mlp", "feed-forward"},
		{"norm", "norms"}, {"lm_head", "output head"}, {"score", "value head"},
	} {
		if strings.Contains(name, g.part+".") {
			return g.group
		}
	}
	return "other"
}

// describeTokenizer returns nil if dir has no tokenizer.
func describeTokenizer(dir string) (*tokenizerInfo, error) {
	tok, err := ifPresent(tokenizer.Load(dir))
	if tok == nil || err != nil {
		return nil, err
	}
	t := &tokenizerInfo{Tokens: tok.VocabSize(), Template: template.NameOf(tok.Template())}
	for id := range token.ID(tok.VocabSize()) {
		if tok.IsSpecial(id) {
			t.Special = append(t.Special, tok.Token(id))
		}
	}
	return t, nil
}

// print writes one fact per line.
func (m *modelInfo) print(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	c := m.Config
	fact := func(name, format string, args ...any) { fmt.Fprintf(tab, name+"\t"+format+"\n", args...) }
	if m.Adapter != nil {
		fact("adapter", "%s", describeLoRA(*m.Adapter))
		fact("base", "%s", m.Base)
	}
	fact("architecture", "%s", strings.Join(c.Architectures, " "))
	fact("", "%d layers of width %d, feed-forward %d", c.Layers, c.HiddenSize, c.IntermediateSize)
	fact("", "%d heads of %d, %d for keys and values", c.Heads, c.HeadDim, c.KVHeads)
	fact("", "vocabulary %d, context %d tokens", c.VocabSize, c.Context())
	if c.Context() < c.MaxPositions {
		fact("", "limited to the sliding window: herd does not implement attention beyond it")
	}
	fact("parameters", "%s", shares(m.Groups, m.Parameters))
	fact("weights", "%s on disk, %s", memory.Bytes(m.Bytes), shares(m.DTypes, m.Parameters))
	fact("memory", "%s to run, plus %s for each token of context", memory.Bytes(m.RunBytes), memory.Bytes(m.ContextBytes))
	fact("", "%s to train, plus activations", memory.Bytes(m.TrainBytes))
	fact("tokenizer", "%s", m.Tokenizer)
	if m.Manifest == nil {
		fact("made by", "unknown: no %s in the directory", run.ManifestName)
	} else {
		fact("made by", "%s, %d steps", m.Manifest.Stage, m.Manifest.Step)
	}
	return tab.Flush()
}

func describeLoRA(l model.LoRA) string {
	kind := ""
	if l.RSLoRA {
		kind += ", rsLoRA"
	}
	if l.DoRA {
		kind += ", DoRA"
	}
	return fmt.Sprintf("r %d, alpha %g%s: %s", l.R, l.Alpha, kind, strings.Join(l.TargetModules, " "))
}

// shares formats a total and its parts, the largest first, or the name of the only part.
func shares(parts map[string]int, total int) string {
	names := slices.SortedFunc(maps.Keys(parts), func(a, b string) int {
		if parts[a] != parts[b] {
			return parts[b] - parts[a]
		}
		return strings.Compare(a, b)
	})
	if len(names) == 1 {
		return names[0]
	}
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%s %s", name, short(float64(parts[name]))))
	}
	return fmt.Sprintf("%s: %s", short(float64(total)), strings.Join(list, ", "))
}

func (t *tokenizerInfo) String() string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%d tokens, %d of them special (%s); chat template: %s", t.Tokens, len(t.Special), some(t.Special, 8), t.Template)
}

// some lists at most n names.
func some(names []string, n int) string {
	if len(names) > n {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:n], " "), len(names)-n)
	}
	return strings.Join(names, " ")
}
