package rejection

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/data"
	"github.com/herd-lm/herd/data/example"
)

// seeds returns the seed of each sample of a prompt: it depends on nothing but the
// stage's seed, the prompt and the sample's number.
func seeds(seed uint64, prompt string, n int) []uint64 {
	list := make([]uint64, n)
	for k := range list {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d/%s/%d", seed, prompt, k)
		list[k] = h.Sum64()
	}
	return list
}

func blocksDir(dir string) string { return filepath.Join(dir, "blocks") }

func blockPath(dir string, i int) string {
	return filepath.Join(blocksDir(dir), fmt.Sprintf("%05d.arrow", i))
}

// readBlock returns the rows of a finished block, or nil.
func readBlock(dir string, i int) ([]data.Sample, error) {
	rows, _, err := data.ReadAll[data.Sample](blockPath(dir, i))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return rows, err
}

func (r *run) header() data.Header {
	return data.Header{Stage: "rejection", Seed: r.Seed, Digests: data.Digests{
		Model: r.manifest.Inputs["model[0]"], Tokenizer: r.tok.Digest(),
	}}
}

func (r *run) writeBlock(i int, rows []data.Sample) error {
	return data.WriteAll(blockPath(r.Out, i), r.header(), rows)
}

// finish joins the blocks into the stage's tables, writes the manifest and
// removes the blocks.
func (r *run) finish(prompts int) error {
	if err := os.Remove(filepath.Join(r.Out, checkpoint.ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	samples, err := data.Create[data.Sample](filepath.Join(r.Out, SamplesFile), r.header())
	if err != nil {
		return err
	}
	var chats []data.Chat
	var preferences []data.Preference
	for i := range (prompts + blockPrompts - 1) / blockPrompts {
		rows, err := readBlock(r.Out, i)
		if err != nil {
			return errors.Join(err, samples.Abort())
		}
		for _, row := range rows {
			if err := samples.Write(row); err != nil {
				return errors.Join(err, samples.Abort())
			}
			if c, ok := answered(row); ok {
				chats = append(chats, c)
			}
			if p, ok := preference(row, r.MinScoreGap); ok {
				preferences = append(preferences, p)
			}
		}
	}
	if err := samples.Close(); err != nil {
		return err
	}
	if len(chats) == 0 {
		return fmt.Errorf("no response ended within max_tokens %d: nothing can be learnt from them", r.MaxTokens)
	}
	// One after another: the manifest says that all is there, and the blocks go
	// only when it is.
	if err := data.WriteAll(filepath.Join(r.Out, ChatsFile), r.header(), chats); err != nil {
		return err
	}
	if err := data.WriteAll(filepath.Join(r.Out, PreferencesFile), r.header(), preferences); err != nil {
		return err
	}
	if err := checkpoint.WriteManifest(r.Out, r.manifest); err != nil {
		return err
	}
	return os.RemoveAll(blocksDir(r.Out))
}

// answered returns the prompt with its best response, if that ended by itself.
func answered(row data.Sample) (data.Chat, bool) {
	best := row.Candidates[Best(row.Candidates)]
	return data.Chat{
		Origin:   derived(row),
		Messages: slices.Concat(row.Prompt, example.Reply(best.Text)),
	}, best.Finish == sample.Stop
}

// preference returns best against worst, if their scores are at least gap apart
// and their texts differ. A response that was cut off is not taught as chosen.
func preference(row data.Sample, gap float64) (data.Preference, bool) {
	best, worst := row.Candidates[Best(row.Candidates)], row.Candidates[Worst(row.Candidates)]
	lead := *best.Score - *worst.Score
	return data.Preference{
		Origin: derived(row), Prompt: row.Prompt,
		Chosen: example.Reply(best.Text), Rejected: example.Reply(worst.Text),
		ChosenScore: best.Score, RejectedScore: worst.Score, Annotator: "reward model",
	}, lead > 0 && lead >= gap && best.Text != worst.Text && best.Finish == sample.Stop
}

func derived(row data.Sample) data.Origin {
	return data.Origin{Source: "rejection", Parents: []string{row.ID}, Meta: row.Meta}
}

// Resumable reports whether dir holds an unfinished run whose settings and
// inputs have the digest.
func Resumable(dir, digest string) bool {
	began, err := os.ReadFile(filepath.Join(blocksDir(dir), "digest"))
	return err == nil && string(began) == digest
}
