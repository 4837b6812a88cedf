package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// RopeScaling is `rope_scaling` of config.json, with rope_type linear or llama3.
type RopeScaling struct {
	Type             string  `json:"rope_type"`
	Factor           float64 `json:"factor"`
	LowFreqFactor    float64 `json:"low_freq_factor,omitempty"`
	HighFreqFactor   float64 `json:"high_freq_factor,omitempty"`
	OriginalMaxPos   int     `json:"original_max_position_embeddings,omitempty"`
	DeprecatedMethod string  `json:"type,omitempty"` // older name of rope_type
}

// ropeParameters is `rope_parameters`, which replaces rope_theta and rope_scaling in
// transformers 5.
type ropeParameters struct {
	RopeScaling
	Theta   float64  `json:"rope_theta"`
	Partial *float64 `json:"partial_rotary_factor"`
}

// InvFreq returns the HeadDim/2 inverse frequencies of the rotary position embedding, scaled
// for long contexts if the configuration says so (transformers' modeling_rope_utils.py; Llama
// 3.1's apply_scaling).
func (c Config) InvFreq() []float64 {
	freq := make([]float64, c.HeadDim/2)
	for i := range freq {
		freq[i] = math.Pow(c.RopeTheta, -2*float64(i)/float64(c.HeadDim))
		if c.RopeScaling != nil {
			freq[i] = c.RopeScaling.scale(freq[i])
		}
	}
	return freq
}

// rotaryBytes returns the size of a decoder's table: a cosine and a sine for each position and
// frequency.
func (c Config) rotaryBytes() int64 { return 2 * 4 * int64(c.Context()) * int64(c.HeadDim/2) }

// scale divides a frequency by Factor. Linear scaling divides every frequency (arXiv
// 2306.15595, equation 3). llama3's scaling keeps high frequencies, divides low ones, and
// interpolates smoothly between two wavelengths.
func (s *RopeScaling) scale(freq float64) float64 {
	if s.Type == "linear" {
		return freq / s.Factor
	}
	wavelength := 2 * math.Pi / freq
	turns := float64(s.OriginalMaxPos) / wavelength
	switch {
	case turns > s.HighFreqFactor:
		return freq
	case turns < s.LowFreqFactor:
		return freq / s.Factor
	}
	smooth := (turns - s.LowFreqFactor) / (s.HighFreqFactor - s.LowFreqFactor)
	return (1-smooth)*freq/s.Factor + smooth*freq
}

// settle returns s with its type under the newer name, or nil if it scales nothing.
func (s *RopeScaling) settle() *RopeScaling {
	if s == nil {
		return nil
	}
	t := *s
	if t.Type == "" {
		t.Type = t.DeprecatedMethod
	}
	if t.Type == "default" {
		return nil
	}
	return &t
}

// readRopeParameters reads rope_parameters. If the file has the older fields too, both must
// agree.
func (c *Config) readRopeParameters(text json.RawMessage) error {
	if text == nil || string(text) == "null" {
		return nil
	}
	var p ropeParameters
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("rope_parameters: %w", err)
	}
	switch scaling := p.RopeScaling.settle(); {
	case p.Type == "" && p.Theta == 0:
		return errors.New("rope_parameters has neither rope_type nor rope_theta: parameters for each kind of layer are not implemented")
	case p.Partial != nil && *p.Partial != 1:
		return fmt.Errorf("rope_parameters.partial_rotary_factor is %g, only 1 is implemented", *p.Partial)
	case c.RopeTheta != 0 && p.Theta != 0 && c.RopeTheta != p.Theta:
		return fmt.Errorf("rope_theta is %g, but rope_parameters says %g: programs differ on which of them counts, make them equal", c.RopeTheta, p.Theta)
	case c.RopeScaling != nil && (scaling == nil || !c.RopeScaling.equal(*scaling)):
		return errors.New("rope_scaling and rope_parameters differ, and programs on which of them counts: make them equal")
	case scaling != nil && scaling.Type != "":
		c.RopeScaling = scaling
	}
	if p.Theta != 0 {
		c.RopeTheta = p.Theta
	}
	return nil
}

// equal reports whether s and t scale alike.
func (s RopeScaling) equal(t RopeScaling) bool {
	s.DeprecatedMethod, t.DeprecatedMethod = "", ""
	return s == t
}

func (s *RopeScaling) validate() error {
	if s == nil {
		return nil
	}
	switch {
	case s.Type != "llama3" && s.Type != "linear":
		return fmt.Errorf("rope_scaling.rope_type is %q, only \"llama3\" and \"linear\" are implemented", s.Type)
	case !(s.Factor > 0):
		return fmt.Errorf("rope_scaling.factor is %g, expected a positive number", s.Factor)
	case s.Type == "linear":
		return nil
	case s.LowFreqFactor <= 0 || s.HighFreqFactor <= s.LowFreqFactor || s.OriginalMaxPos <= 0:
		return fmt.Errorf("rope_scaling is %+v, expected 0 < low_freq_factor < high_freq_factor and original_max_position_embeddings > 0", *s)
	}
	return nil
}
