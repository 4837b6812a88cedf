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

// Progress is called after each tensor with the number done. It may be nil.
type Progress func(done, all int)

func (p Progress) report(done, all int) {
	if p != nil {
		p(done, all)
	}
}

// opened is a model directory whose files are each valid.
type opened struct {
	dir     string
	config  model.Config
	weights *checkpoint.Model
	tok     *tokenizer.Tokenizer // nil if there is none
}

func open(dir string) (*opened, error) {
	if err := model.Whole(dir); err != nil {
		return nil, err
	}
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

// batch is the number of elements of a tensor to read at a time.
const batch = 1 << 20

// inBatches calls f with ranges [from, from+n) that cover count elements. It stops at an error or
// at the end of the context.
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

// describe formats type and shape of a tensor for errors.
func describe(info checkpoint.Info) string { return fmt.Sprintf("%s %v", info.DType, info.Shape) }
