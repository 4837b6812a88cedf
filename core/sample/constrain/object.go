package constrain

import (
	"slices"
	"unicode/utf8"
)

// object returns the objects of a schema. Members come in the order of properties, and those that
// are not required may be missing.
func (c *compiler) object(s *dict, at string) piece {
	properties, ok := s.values["properties"].(*dict)
	if _, has := s.values["properties"]; has && !ok {
		return c.refuse(at+"/properties", "expected an object of schemas")
	}
	if properties == nil {
		properties = &dict{}
	}
	required := c.required(s, properties, at)
	more, err := c.additional(s, properties, at)
	if err {
		return seq()
	}
	members := make([]piece, len(properties.keys))
	for i, key := range properties.keys {
		members[i] = member(quoted(key), c.schema(properties.values[key], at+"/properties/"+escape(key)))
	}
	return object(func(b *builder) part { return b.members(members, required, more) })
}

// required returns for each property whether it is required.
func (c *compiler) required(s, properties *dict, at string) []bool {
	required := make([]bool, len(properties.keys))
	v, has := s.values["required"]
	list, ok := v.([]any)
	if has && !ok {
		c.refuse(at+"/required", "expected a list of names")
	}
	for _, v := range list {
		name, _ := v.(string)
		i := slices.Index(properties.keys, name)
		if i < 0 {
			c.refuse(at+"/required", "names %v, which properties lacks", v)
			break
		}
		required[i] = true
	}
	return required
}

// additional returns a member that properties does not list, nil if there is none. A schema that lists
// properties allows no others unless it says so, as in llama.cpp and OpenAI's strict mode.
func (c *compiler) additional(s, properties *dict, at string) (more piece, failed bool) {
	v, has := s.values["additionalProperties"]
	if !has {
		v = len(properties.keys) == 0
	}
	if v == false {
		return nil, false
	}
	value := c.schema(v, at+"/additionalProperties")
	return member(otherKey(properties.keys), value), c.err != nil
}

// members passes the members of an object, separated by commas. before[0] is where no member has come
// yet, and before[1] is behind one.
func (b *builder) members(members []piece, required []bool, more piece) part {
	p := part{out: b.node()}
	before := [2]int32{b.node(), b.node()}
	p.in = before[0]
	for i, one := range members {
		after := [2]int32{b.node(), b.node()}
		b.pass(before, one, after[1])
		if !required[i] {
			b.join(before[0], after[0])
			b.join(before[1], after[1])
		}
		if before = after; b.err != nil {
			return p
		}
	}
	if more != nil {
		after := b.node()
		b.pass(before, more, after)
		rest := repeat(seq(comma, more), 0, unlimited)(b)
		b.join(after, rest.in)
		b.join(rest.out, p.out)
	}
	b.join(before[0], p.out)
	b.join(before[1], p.out)
	return p
}

// pass passes a member, behind a comma if another came before.
func (b *builder) pass(before [2]int32, one piece, after int32) {
	first, next := one(b), seq(comma, one)(b)
	b.join(before[0], first.in)
	b.join(before[1], next.in)
	b.join(first.out, after)
	b.join(next.out, after)
}

// otherKey passes a string without escapes that is none of names.
func otherKey(names []string) piece {
	if len(names) == 0 {
		return anyString
	}
	return seq(literal(`"`), func(b *builder) part {
		p := part{b.node(), b.node()}
		rest := b.node() // differs from all names
		free := repeat(plainCharacter, 0, unlimited)(b)
		b.join(rest, free.in)
		b.join(free.out, p.out)
		b.differ(p.in, names, rest, p.out)
		return p
	}, literal(`"`))
}

var plainCharacter = runes(' ', '!', '#', '[', ']', utf8.MaxRune)

// differ leads from a node, where the text has been the same as the beginnings of names that are cut
// off, to rest if it is another text from here on, and to end if it ends here and no name does.
func (b *builder) differ(from int32, names []string, rest, end int32) {
	following := map[rune][]string{}
	ends := false
	for _, name := range names {
		if name == "" {
			ends = true
			continue
		}
		r, n := utf8.DecodeRuneInString(name)
		following[r] = append(following[r], name[n:])
	}
	if !ends {
		b.join(from, end)
	}
	taken := make([]rune, 0, len(following)+2)
	for r := range following {
		taken = append(taken, r)
	}
	taken = append(taken, '"', '\\')
	slices.Sort(taken)
	var others []rune
	next := ' '
	for _, r := range taken {
		if r > next {
			others = append(others, next, r-1)
		}
		next = max(next, r+1)
	}
	other := runes(append(others, next, utf8.MaxRune)...)(b)
	b.join(from, other.in)
	b.join(other.out, rest)
	for _, r := range taken {
		if tails := following[r]; tails != nil && r != '"' && r != '\\' && r >= ' ' {
			one := runes(r, r)(b)
			b.join(from, one.in)
			b.differ(one.out, tails, rest, end)
		}
	}
}

// array returns the arrays of a schema.
func (c *compiler) array(s *dict, at string) piece {
	low, high := c.limits(s, "minItems", "maxItems", at)
	var first []piece
	v, has := s.values["prefixItems"]
	list, ok := v.([]any)
	if has && !ok {
		return c.refuse(at+"/prefixItems", "expected a list of schemas")
	}
	for i, one := range list {
		first = append(first, c.schema(one, item(at, "prefixItems", i)))
	}
	items, has := s.values["items"]
	if !has {
		items = true
	}
	var rest piece
	if items != false {
		rest = c.schema(items, at+"/items")
	}
	if rest == nil && low > len(first) {
		return c.refuse(at+"/minItems", "is %d, but there are %d items at most", low, len(first))
	}
	return array(first, rest, low, high)
}

// limits returns the values of two keywords that limit a number.
func (c *compiler) limits(s *dict, least, most, at string) (low, high int) {
	low, high = 0, unlimited
	for _, l := range []struct {
		name string
		to   *int
	}{{least, &low}, {most, &high}} {
		v, has := s.values[l.name]
		if !has {
			continue
		}
		n, ok := whole(v)
		if !ok || n < 0 || n > maxNodes {
			c.refuse(at+"/"+l.name, "is %v, expected a whole number of 0 to %d", v, maxNodes)
			return 0, unlimited
		}
		*l.to = int(n)
	}
	if high != unlimited && low > high {
		c.refuse(at+"/"+least, "is %d, more than %s, which is %d", low, most, high)
	}
	return low, high
}
