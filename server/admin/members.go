package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

var errObject = errors.New(`settings: one JSON object is wanted, as {"max_conns":1000}, and nothing behind it`)

// merge has the members of a JSON object take the place of those of into.
func merge(body []byte, into *settings) error {
	var members map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&members); err != nil || members == nil {
		return errObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errObject
	}
	for name, text := range members {
		f, ok := member(into, name)
		if !ok {
			return fmt.Errorf("settings: there is no member %.80q", name)
		}
		if err := json.Unmarshal(text, f.Addr().Interface()); err != nil {
			return fmt.Errorf("settings: %s takes %s, not %.80s", name, takes(f.Interface()), text)
		}
	}
	return nil
}

// member is the field of a member.
func member(of *settings, name string) (reflect.Value, bool) {
	v := reflect.ValueOf(of).Elem()
	for i := range v.NumField() {
		if nameOf(v.Type().Field(i)) == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// takes says what a member may be.
func takes(field any) string {
	switch field.(type) {
	case []string:
		return `a list of addresses, as ["10.0.0.2:7000"]`
	case period:
		return `a duration as text, as "90s"`
	case *level:
		return `"debug", "info", "warn" or "error"`
	case int:
		return "a whole number"
	default:
		return "a number"
	}
}

// asMembers words an error of Tuner.Update with the names of the members.
func asMembers(err error) string {
	text := strings.TrimPrefix(err.Error(), "server: ")
	for f := range reflect.TypeFor[settings]().Fields() {
		text = strings.ReplaceAll(text, f.Name, nameOf(f))
	}
	return text
}
