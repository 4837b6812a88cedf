package gguf

import (
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
)

// kind is a type of metadata values.
type kind struct {
	element   reflect.Type
	one, many func(*scanner) any
}

// kinds are the types by their number in a file (gguf_type in gguf.h). Number 9 is a list of one
// of the others.
var kinds = map[uint32]kind{
	0: kindOf(1, (*scanner).uint8), 1: kindOf(1, (*scanner).int8),
	2: kindOf(2, (*scanner).uint16), 3: kindOf(2, (*scanner).int16),
	4: kindOf(4, (*scanner).uint32), 5: kindOf(4, (*scanner).int32),
	6: kindOf(4, (*scanner).float32), 7: kindOf(1, (*scanner).bool), 8: kindOf(8, (*scanner).string),
	10: kindOf(8, (*scanner).uint64), 11: kindOf(8, (*scanner).int64), 12: kindOf(8, (*scanner).float64),
}

const listKind uint32 = 9

// kindOf returns the kind of values that take at least size bytes each.
func kindOf[T any](size int64, read func(*scanner) T) kind {
	return kind{
		element: reflect.TypeFor[T](),
		one:     func(s *scanner) any { return read(s) },
		many: func(s *scanner) any {
			all := make([]T, s.count(s.uint64(), size, "elements of a list"))
			for i := range all {
				all[i] = read(s)
			}
			return all
		},
	}
}

// value reads the kind of a value and the value. It refuses lists of lists, which no program
// writes.
func (s *scanner) value() any {
	number := s.uint32()
	if number == listKind {
		element := s.uint32()
		if k, ok := kinds[element]; ok {
			return k.many(s)
		}
		s.fail("a list with elements of unknown kind %d", element)
		return nil
	}
	if k, ok := kinds[number]; ok {
		return k.one(s)
	}
	s.fail("a value of unknown kind %d", number)
	return nil
}

// numberOf returns the number of the kind for values of type t.
func numberOf(t reflect.Type) (uint32, error) {
	for number, k := range kinds {
		if k.element == t {
			return number, nil
		}
	}
	return 0, fmt.Errorf("a value of type %v, which the format does not have", t)
}

// writeValue writes the kind of a value and the value.
func writeValue(w io.Writer, value any) error {
	t := reflect.TypeOf(value)
	if t == nil || t.Kind() != reflect.Slice {
		number, err := numberOf(t)
		if err != nil {
			return err
		}
		return writeAll(w, number, value)
	}
	number, err := numberOf(t.Elem())
	if err != nil {
		return err
	}
	return writeAll(w, listKind, number, uint64(reflect.ValueOf(value).Len()), value)
}

// writeAll writes values one after another, little-endian.
func writeAll(w io.Writer, values ...any) error {
	for _, value := range values {
		if err := writeOne(w, value); err != nil {
			return err
		}
	}
	return nil
}

func writeOne(w io.Writer, value any) error {
	switch v := value.(type) {
	case string:
		if err := binary.Write(w, binary.LittleEndian, uint64(len(v))); err != nil {
			return err
		}
		_, err := io.WriteString(w, v)
		return err
	case []string:
		for _, text := range v {
			if err := writeOne(w, text); err != nil {
				return err
			}
		}
		return nil
	}
	return binary.Write(w, binary.LittleEndian, value)
}
