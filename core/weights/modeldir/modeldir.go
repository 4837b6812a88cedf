package modeldir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// Progress is called after each tensor with how many are done; it may be nil.
type Progress func(done, all int)

func (p Progress) report(done, all int) {
	if p != nil {
		p(done, all)
	}
}

// opened is a model directory whose files make sense each by itself.
type opened struct {
	dir     string
	config  model.Config
	weights *checkpoint.Model
	tok     *tokenizer.Tokenizer // nil if there is none
}

func open(dir string) (*opened, error) {
	config, err := model.LoadConfig(dir)
	if err != nil {
		return nil, err
	}
	tok, err := loadTokenizer(dir)
	if err != nil {
		return nil, err
	}
	weights, err := checkpoint.OpenModel(dir)
	return &opened{dir, config, weights, tok}, err
}

// loadTokenizer returns nil if dir has no tokenizer.
func loadTokenizer(dir string) (*tokenizer.Tokenizer, error) {
	tok, err := tokenizer.Load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return tok, err
}

// vocabulary identifies the tokenizer; "" if there is none.
func (o *opened) vocabulary() string {
	if o.tok == nil {
		return ""
	}
	return o.tok.Digest()
}

// batch is how many elements of a tensor are looked at a time.
const batch = 1 << 20

// inBatches calls f with [from, from+n) until that has covered count elements, an
// error comes or the context ends.
func inBatches(ctx context.Context, count int, f func(from, n int) error) error {
	for from := 0; from < count; from += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(from, min(batch, count-from)); err != nil {
			return err
		}
	}
	return nil
}

// describe describes a tensor for errors.
func describe(info checkpoint.Info) string { return fmt.Sprintf("%s %v", info.DType, info.Shape) }
