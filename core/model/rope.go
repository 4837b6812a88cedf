package model

import "math"

// InvFreq returns the HeadDim/2 inverse frequencies of the rotary position
// embedding, scaled for long contexts if the configuration says so
// (transformers' _compute_llama3_parameters; Llama 3.1's apply_scaling).
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

// scale leaves high frequencies as they are, divides low ones by Factor and
// goes smoothly from one to the other between the two wavelengths.
func (s *RopeScaling) scale(freq float64) float64 {
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
