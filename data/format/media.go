package format

import (
	"errors"
	"slices"
)

// mediaKeys are names of columns that hold images, sounds or videos of a conversation, or paths
// of them.
var mediaKeys = []string{"image", "images", "audio", "audios", "video", "videos", "image_url", "image_path", "pixel_values"}

// refuseMedia refuses a conversation about something other than text: the model would learn
// answers about an image that it never sees.
func (o *object) refuseMedia() {
	for key, v := range o.keys {
		if slices.Contains(mediaKeys, key) && !isEmpty(v) && !o.ignores(key) {
			o.fail(key, errors.New("herd trains on text only, and the conversation is about more than text"))
		}
	}
}
