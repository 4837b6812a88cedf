package check

import (
	"testing"
)

// outcome judges one response.
func outcome(t *testing.T, s Settings, q Question, response string) Outcome {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Check(t.Context(), q, response)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
