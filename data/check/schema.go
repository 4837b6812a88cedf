package check

import "strings"

// inline reports whether a setting is a schema and not the name of a file.
func inline(schema string) bool { return strings.HasPrefix(strings.TrimSpace(schema), "{") }
