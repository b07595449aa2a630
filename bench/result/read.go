package result

import (
	"bytes"
	"encoding/json"
	"io"
)

// Read reads what WriteJSON wrote, to be merged. Another schema is an error, since its
// figures mean something else, and so is a field that this version does not know: a merge would
// lose it.
func Read(in io.Reader) (*Result, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err == nil && head.Schema != Schema {
		return nil, Usage("its schema is %q, and only results of %q can be merged", head.Schema, Schema)
	}
	var r Result
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, Usage("not a result of this version of stormwheel bench: %w", err)
	}
	return &r, nil
}
