// Package strict reads JSON of others strictly: a member with a wrong name would be a wish, or a rule, that is not heard.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
)

// What is wrong with a text beside what package json says.
var (
	ErrNoObject = errors.New("it is no JSON object")
	ErrBehind   = errors.New("there is something behind the JSON object")
)

// Object reads a text, which must be one JSON object and nothing else, into a struct that has all its members. Its errors
// are ErrNoObject, ErrBehind, and those of a json.Decoder.
func Object(text []byte, into any) error {
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return ErrNoObject
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ErrBehind
	}
	return nil
}

// Members are the names of the members that a text for into may have: of a pointer to a struct whose fields have them as
// json tags, in their order.
func Members(into any) (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeOf(into).Elem()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// IsUnknown tells whether an error of Object is of a member that there is not.
func IsUnknown(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "json: unknown field ")
}
