package memory

import "fmt"

// TooMuchError reports that something needs more memory than is available.
type TooMuchError struct {
	What       string
	Need, Have int64 // bytes
}

func (e *TooMuchError) Error() string {
	return fmt.Sprintf("%s need %s of memory, %s are available", e.What, Bytes(e.Need), Bytes(e.Have))
}

// Check returns a *TooMuchError if need bytes are more than Available.
func Check(what string, need int64) error { return check(what, need, 0) }

// CheckTotal is Check for the total need of the process, including the memory that it already
// holds.
func CheckTotal(what string, need int64) error {
	resident, _ := Resident()
	return check(what, need, resident)
}

func check(what string, need, taken int64) error {
	if have, known := Available(); known && need > have+taken {
		return &TooMuchError{what, need, have + taken}
	}
	return nil
}

// Bytes formats n bytes for people, in decimal units and with three digits: "1.5 GB".
func Bytes(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, suffix := float64(n), ""
	for _, suffix = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		if value /= unit; value < unit-0.5 { // 999.5 and more would round to 1000: use the next unit
			break
		}
	}
	return fmt.Sprintf("%.3g %s", value, suffix)
}
