package tokenizer

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Types of fields on the wire (protobuf.dev/programming-guides/encoding).
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// message is the unread part of a protobuf message. Its fields share its memory.
type message []byte

// field is one field of a message: a number of any type, or bytes.
type field struct {
	number uint64
	wire   uint64
	value  uint64
	bytes  []byte
}

// next reads and removes the first field.
func (m *message) next() (f field, err error) {
	key, err := m.varint()
	if err != nil {
		return f, err
	}
	f.number, f.wire = key>>3, key&7
	switch f.wire {
	case wireVarint:
		f.value, err = m.varint()
	case wireFixed64:
		if f.bytes, err = m.take(8); err == nil {
			f.value = binary.LittleEndian.Uint64(f.bytes)
		}
	case wireFixed32:
		if f.bytes, err = m.take(4); err == nil {
			f.value = uint64(binary.LittleEndian.Uint32(f.bytes))
		}
	case wireBytes:
		if f.value, err = m.varint(); err == nil {
			f.bytes, err = m.take(f.value)
		}
	default:
		err = fmt.Errorf("field %d has type %d, which is not a protobuf wire type", f.number, f.wire)
	}
	return f, err
}

func (m *message) varint() (uint64, error) {
	value, n := binary.Uvarint(*m)
	if n <= 0 {
		return 0, fmt.Errorf("the data ends within a number, or the number is too large")
	}
	*m = (*m)[n:]
	return value, nil
}

func (m *message) take(n uint64) ([]byte, error) {
	if n > uint64(len(*m)) {
		return nil, fmt.Errorf("the data ends within a field of %d bytes", n)
	}
	taken := (*m)[:n]
	*m = (*m)[n:]
	return taken, nil
}

// fields calls read for each field of m.
func (m message) fields(read func(field) error) error {
	for len(m) > 0 {
		f, err := m.next()
		if err == nil {
			err = read(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// float returns the value of a field of type float.
func (f field) float() float32 { return math.Float32frombits(uint32(f.value)) }

// int returns the value of a field of type int32 or enum.
func (f field) int() int32 { return int32(f.value) }
