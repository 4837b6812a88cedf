package constrain

import (
	"slices"
	"strings"
)

// formats are the formats that herd enforces, as patterns (RFC 3339, 4122, 5321 and 2673). They allow
// a part of what the standards do.
var formats = map[string]string{
	"date":      date,
	"time":      clock,
	"date-time": date + "T" + clock,
	"duration":  `P([0-9]{1,4}D|[0-9]{1,4}W|T[0-9]{1,4}[HMS])`,
	"uuid":      `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
	"ipv4":      octet + `(\.` + octet + `){3}`,
	"hostname":  label + `(\.` + label + `){0,3}`,
	"email":     `[A-Za-z0-9_+-]{1,20}(\.[A-Za-z0-9_+-]{1,20}){0,2}@` + label + `(\.` + label + `){1,3}`,
}

const (
	date = `[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))`

	clock = `([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])`
	octet = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	label = `[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?`
)

// text returns the strings of a schema.
func (c *compiler) text(s *dict, at string) piece {
	low, high := c.limits(s, "minLength", "maxLength", at)
	limited := low > 0 || high != unlimited
	source, has := s.values["pattern"]
	format, formatted := s.values["format"]
	switch {
	case has && formatted:
		return c.refuse(at, "has pattern and format: herd does not combine them")
	case limited && (has || formatted):
		return c.refuse(at, "has a length and a pattern or format: herd does not combine them, write the length into the pattern")
	case formatted:
		name, _ := format.(string)
		pattern, known := formats[name]
		if !known {
			names := make([]string, 0, len(formats))
			for name := range formats {
				names = append(names, name)
			}
			slices.Sort(names)
			return c.refuse(at+"/format", "is %v, expected one of %s", format, strings.Join(names, ", "))
		}
		source = "^(" + pattern + ")$"
	case !has:
		return text(low, high)
	}
	pattern, ok := source.(string)
	if !ok {
		return c.refuse(at+"/pattern", "expected a text")
	}
	p, err := match(pattern)
	if err != nil {
		return c.refuse(at+"/pattern", "%v", err)
	}
	return seq(literal(`"`), p, literal(`"`))
}
