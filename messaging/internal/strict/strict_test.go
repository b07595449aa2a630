package strict

import (
	"errors"
	"testing"
)

func TestOneObjectAndNothingElse(t *testing.T) {
	for text, want := range map[string]error{
		`{"a":1}`: nil, " \t\r\n{\"a\":1}\n": nil,
		"": ErrNoObject, " ": ErrNoObject, "null": ErrNoObject, "[1]": ErrNoObject, `"{"`: ErrNoObject, "\v{}": ErrNoObject,
		`{"a":1}{"a":1}`: ErrBehind, `{"a":1} x`: ErrBehind, `{"a":1}]`: ErrBehind,
	} {
		var v struct{ A int }
		if err := Object([]byte(text), &v); !errors.Is(err, want) || want == nil && v.A != 1 {
			t.Errorf("%q: %v, %+v, want %v", text, err, v, want)
		}
	}
	for _, text := range []string{`{"b":1}`, `{"a":"1"}`, `{"a":1`, "{"} {
		var v struct{ A int }
		if err := Object([]byte(text), &v); err == nil || IsUnknown(err) != (text == `{"b":1}`) {
			t.Errorf("%q is taken: %+v, %v", text, v, err)
		}
	}
}
