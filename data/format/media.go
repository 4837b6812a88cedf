package format

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/herd-lm/herd/data/table"
)

// mediaKeys are names of columns that hold images, sounds or videos of a conversation, or paths
// of them.
var mediaKeys = []string{"image", "images", "audio", "audios", "video", "videos", "image_url", "image_path", "pixel_values"}

// placeholder matches the place of an image, sound or video in a text.
var placeholder = regexp.MustCompile(`(?i)<\|?(image|img|video|audio|sound|speech)(_?pad|_?token|_?placeholder|_?\d+)?\|?>|\[(IMG|AUDIO)\]`)

// refuseMedia refuses a conversation about something other than text: the model would learn
// answers about an image that it never sees. Without a column that may hold the image, a
// placeholder is text: people write about HTML.
func (o *object) refuseMedia(r table.Record) {
	for key, v := range o.keys {
		if isEmpty(v) || o.ignores(key) {
			continue
		}
		if slices.Contains(mediaKeys, strings.ToLower(key)) ||
			!o.used[key] && likeMedia(key, v) && slices.ContainsFunc(sayingsOf(r).texts, placeholder.MatchString) {
			o.fail(key, errors.New("herd trains on text only, and the conversation is about more than text"))
		}
	}
}

// likeMedia reports whether a column may hold what a placeholder stands for.
func likeMedia(key string, v json.RawMessage) bool {
	words := []string{"image", "img", "picture", "photo", "pixel", "audio", "sound", "speech", "wav", "video", "media", "file", "path", "url"}
	return strings.ContainsRune(`"[{`, rune(v[0])) &&
		slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(key), w) })
}
