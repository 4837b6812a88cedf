package main

import (
	"fmt"
	"reflect"
	"strings"
)

// listSettings lists the YAML keys of a stage's settings with their values.
func listSettings(settings any) string {
	return wrapped(appendSettings(nil, "", reflect.ValueOf(settings)))
}

// wrapped lists items, as many to a line of 80 columns as fit. A list of words may
// go on in the next line.
func wrapped(items []string) string {
	var b strings.Builder
	column := 80
	for _, item := range items {
		gap := "  "
		for word := range strings.SplitSeq(item, " ") {
			if column += len(gap) + len(word); column > 80 {
				b.WriteString("\n")
				gap, column = "  ", 2+len(word)
			}
			b.WriteString(gap + word)
			gap = " "
		}
	}
	return b.String()
}

// appendSettings appends "key=value" for each field of a struct. The fields of
// an embedded struct have no key before them, those of any other its key.
func appendSettings(list []string, prefix string, v reflect.Value) []string {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case field.Anonymous:
			list = appendSettings(list, prefix, value)
		case value.Kind() == reflect.Struct && value.IsZero() && strings.HasSuffix(field.Tag.Get("json"), ",omitzero"):
			list = append(list, prefix+key+"={}") // a group that few need
		case value.Kind() == reflect.Struct:
			list = appendSettings(list, prefix+key+".", value)
		default:
			list = append(list, fmt.Sprintf("%s%s=%s", prefix, key, settingValue(value)))
		}
	}
	return list
}

func settingValue(v reflect.Value) string {
	if v.Kind() == reflect.Slice && v.Len() == 0 {
		return "[]"
	}
	return fmt.Sprint(v.Interface())
}
