package constrain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func item(at, key string, i int) string { return fmt.Sprintf("%s/%s/%d", at, key, i) }

// exclusive refuses the schemas of a oneOf if a value could be of two of them, as far as herd can
// tell: they must have different types, different constants, or a required property that tells them
// apart.
func (c *compiler) exclusive(list []any, at string) {
	for i := range list {
		for k := range i {
			if c.err == nil && !c.apart(list[k], list[i]) {
				c.refuse(at, "schemas %d and %d may both allow a value: give them a required property with different constants, or use anyOf", k, i)
			}
		}
	}
}

func (c *compiler) apart(a, b any) bool {
	x, y := c.resolved(a), c.resolved(b)
	if x == nil || y == nil {
		return false
	}
	if v, w := constants(x), constants(y); v != nil && w != nil {
		return !meet(v, w)
	}
	v, w := c.kindSet(x), c.kindSet(y)
	if v != nil && w != nil && !meet(v, w) {
		return true
	}
	p, _ := x.values["properties"].(*dict)
	q, _ := y.values["properties"].(*dict)
	if p == nil || q == nil || len(v) != 1 || len(w) != 1 {
		return false
	}
	for _, key := range p.keys {
		other, has := q.values[key]
		if !has || !requires(x, key) || !requires(y, key) {
			continue
		}
		v, w := constants(c.resolved(p.values[key])), constants(c.resolved(other))
		if v != nil && w != nil && !meet(v, w) {
			return true
		}
	}
	return false
}

// resolved returns a schema behind references, nil if it is no object.
func (c *compiler) resolved(s any) *dict {
	for range maxDepth {
		d, _ := s.(*dict)
		if d == nil {
			return nil
		}
		name, ok := d.values["$ref"].(string)
		if !ok {
			return d
		}
		if s, ok = c.find(strings.TrimPrefix(name, "#")); !ok {
			return nil
		}
	}
	return nil
}

// kindSet returns the types that a schema names, nil if it leaves them open. Each integer is a number.
func (c *compiler) kindSet(s *dict) map[string]bool {
	set := map[string]bool{}
	switch t := s.values["type"].(type) {
	case string:
		set[t] = true
	case []any:
		for _, v := range t {
			name, _ := v.(string)
			set[name] = true
		}
	default:
		for _, v := range values(s) {
			for _, kind := range types {
				if isOf(v, kind) {
					set[kind] = true
				}
			}
		}
	}
	if set["integer"] || set["number"] {
		set["integer"], set["number"] = true, true
	}
	if len(set) == 0 {
		return nil
	}
	return set
}

func values(s *dict) []any {
	if v, has := s.values["const"]; has {
		return []any{v}
	}
	list, _ := s.values["enum"].([]any)
	return list
}

// constants returns the texts of the values of const or enum, nil if there are none or one is a list
// or an object.
func constants(s *dict) map[string]bool {
	if s == nil {
		return nil
	}
	var set map[string]bool
	for _, v := range values(s) {
		switch v.(type) {
		case []any, *dict:
			return nil
		}
		if set == nil {
			set = map[string]bool{}
		}
		set[fmt.Sprintf("%T %v", v, v)] = true
	}
	return set
}

func meet(a, b map[string]bool) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(a)), func(x string) bool { return b[x] })
}

func requires(s *dict, key string) bool {
	list, _ := s.values["required"].([]any)
	return slices.Contains(list, any(key))
}
