package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"runtime"
	"strings"
	"testing"
)

// hostile files, by what their errors must say.
var hostile = map[string][]byte{
	"too short":                  {1, 2, 3},
	"header of 1844":             binary.LittleEndian.AppendUint64(nil, math.MaxUint64),
	"header of 99999":            binary.LittleEndian.AppendUint64(nil, 99999999),
	"cut short":                  binary.LittleEndian.AppendUint64(nil, 1),
	"not UTF-8":                  raw("{\"\xff\":1}", 0),
	"byte 5: invalid":            raw(`{"a"}`, 0),
	"want a JSON object":         raw(`null`, 0),
	"cannot unmarshal":           raw(`[]`, 0),
	"after top-level value":      raw(`{}{}`, 0),
	"exceeded max depth":         raw(strings.Repeat("[", 20000), 0),
	"no name":                    raw(`{"":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
	`"a" appears twice`:          raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`, 8),
	`"shape" appears twice`:      raw(`{"a":{"dtype":"F32","shape":[],"shape":[],"data_offsets":[0,4]}}`, 4),
	"unknown key":                raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}`, 4),
	"want a shape":               raw(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4),
	"and two data_offsets":       raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}}`, 4),
	`unknown dtype "F33"`:        raw(`{"a":{"dtype":"F33","shape":[],"data_offsets":[0,4]}}`, 4),
	"number -1":                  raw(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4),
	"number 1.5":                 raw(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, 4),
	"overflows":                  raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4),
	"[18446744073709551615 0]":   raw(`{"a":{"dtype":"F32","shape":[18446744073709551615,0],"data_offsets":[0,0]}}`, 0),
	"33 dimensions":              raw(`{"a":{"dtype":"F32","shape":[1`+strings.Repeat(",1", 32)+`],"data_offsets":[0,4]}}`, 4),
	"whole bytes":                raw(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, 2),
	"takes 8 bytes":              raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4),
	"data_offsets [4,0]":         raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[4,0]}}`, 4),
	"data_offsets [1844":         raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[18446744073709551611,18446744073709551615]}}`, 4),
	"byte 4 of the data, want 0": raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`, 8),
	"byte 2 of the data, want 4": raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[],"data_offsets":[2,6]}}`, 6),
	"the file has 5":             raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 5),
	"the file has 3":             raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 3),
	"want a string":              raw(`{"__metadata__":{"a":1}}`, 0),
	`"k" appears twice`:          raw(`{"__metadata__":{"k":"1","k":"2"}}`, 0),
}

func TestOpenRefuses(t *testing.T) {
	for want, b := range hostile {
		path := writeRaw(t, b)
		f, err := Open(path)
		if err == nil {
			t.Errorf("%q: opened", want)
			f.Close()
		} else if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("error %v, want one with the path and %q", err, want)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("a directory: error %v", err)
	}
	if _, err := Open("no such file"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
}

// A header that claims a large size must not cost much memory.
func TestHostileHeaderIsCheap(t *testing.T) {
	shape := strings.Repeat("1,", 1<<20) + "4611686018427387904"
	b := raw(`{"a":{"dtype":"U8","shape":[`+shape+`],"data_offsets":[0,4611686018427387904]}}`, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := readHeader(bytes.NewReader(b), int64(len(b)))
	runtime.ReadMemStats(&after)
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("error %v", err)
	}
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(64*len(b)); got > limit {
		t.Errorf("%d bytes taken for a header of %d, want at most %d", got, len(b), limit)
	}
}

func FuzzReadHeader(f *testing.F) {
	for _, b := range hostile {
		f.Add(b)
	}
	f.Add(raw(`{"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"F4","shape":[2],"data_offsets":[4,5]}}  `, 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, data, err := readHeader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		end, seen := int64(0), map[string]bool{}
		for _, info := range h.tensors {
			n, err := elements(info.Shape)
			if err != nil || n != info.size || int64(n)*int64(dtypes[info.DType].bits) != 8*(info.end-info.start) {
				t.Errorf("accepted %+v: %v", info, err)
			}
			if info.start != end || info.Name == "" || seen[info.Name] {
				t.Errorf("accepted %+v at %d", info, end)
			}
			end, seen[info.Name] = info.end, true
		}
		if data+end != int64(len(b)) {
			t.Errorf("accepted %d bytes of %d", data+end, len(b))
		}
	})
}
