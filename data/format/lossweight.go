package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// weightKeys are the names under which data sets say how much a message counts in the loss:
// weight (OpenAI's fine-tuning API, axolotl), train and training (axolotl), loss and loss_weight
// (ms-swift), trainable. They hold a number, or true and false for 1 and 0.
var weightKeys = []string{"weight", "loss_weight", "train", "training", "trainable", "loss"}

// maskKeys are names with the opposite meaning: true leaves the message out of the loss.
var maskKeys = []string{"mask", "masked"}

// lossWeight takes how much a message counts in the loss; nil is the default, 1.
func (o *object) lossWeight(role string) *float64 {
	w := o.weight()
	if w == nil || role == chat.Assistant && *w == 1 {
		return nil
	}
	if role == chat.Assistant {
		return w
	}
	if *w != 0 {
		o.fail("weight", fmt.Errorf("is %g for a message of role %s: herd trains on the assistant's messages only", *w, role))
	}
	return nil
}

// weight takes the weight that one or several keys give. Several must agree.
func (o *object) weight() (weight *float64) {
	for _, mask := range []bool{false, true} {
		names := weightKeys
		if mask {
			names = maskKeys
		}
		for _, key := range names {
			_, v := o.take(key)
			if v == nil {
				continue
			}
			w, err := parseWeight(v)
			if mask {
				w = 1 - w
			}
			if err == nil && weight != nil && *weight != w {
				err = errors.New("contradicts another key for the weight of the message")
			}
			o.fail(key, err)
			weight = &w
		}
	}
	return weight
}

func parseWeight(v json.RawMessage) (float64, error) {
	text := strings.ToLower(strings.Trim(string(v), `"`))
	switch text {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	w, err := strconv.ParseFloat(text, 64)
	if err != nil || !(w >= 0) || math.IsInf(w, 0) {
		return 0, fmt.Errorf("is %s, expected a number of at least 0, true or false", brief(v))
	}
	return w, nil
}

// rowWeights are the names under which data sets say how much a row counts in the loss.
var rowWeights = []string{"sample_weight", "loss_weight", "weight"}

// weighAll multiplies the weight of every message of the assistant by the weight of its row.
// Several keys must agree.
func (o *object) weighAll(ms []chat.Message) []chat.Message {
	var weight *float64
	for _, key := range rowWeights {
		_, v := o.take(key)
		if v == nil {
			continue
		}
		w, err := parseWeight(v)
		if err == nil && weight != nil && *weight != w {
			err = errors.New("contradicts another key for the weight of the row")
		}
		o.fail(key, err)
		weight = &w
	}
	if weight == nil || *weight == 1 {
		return ms
	}
	for i, m := range ms {
		if m.Role == chat.Assistant {
			w := *weight * m.LossWeight()
			ms[i].Weight = &w
		}
	}
	return ms
}
