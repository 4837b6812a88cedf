package stat

import (
	"encoding/json"
	"math"
)

// number is a float64 that is null in JSON if it is not known.
type number float64

func (x number) MarshalJSON() ([]byte, error) {
	if !Known(float64(x)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(x))
}

func (x *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*x = number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(x))
}

// measureJSON is a Measure in a file.
type measureJSON struct {
	Value number `json:"value"`
	Low   number `json:"low"`
	High  number `json:"high"`
	N     int    `json:"n"`
}

// MarshalJSON writes null for a number that is not known, because JSON has no NaN.
func (m Measure) MarshalJSON() ([]byte, error) {
	return json.Marshal(measureJSON{number(m.Value), number(m.Low), number(m.High), m.N})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Measure) UnmarshalJSON(b []byte) error {
	var j measureJSON
	err := json.Unmarshal(b, &j)
	*m = Measure{float64(j.Value), float64(j.Low), float64(j.High), j.N}
	return err
}
