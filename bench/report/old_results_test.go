package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

// The files of testdata/old were written by earlier binaries: one of most scenarios and kinds of storm, most of them before
// the packages were divided as they are, and some of the schema before (v1-*). They are read and drawn.
func TestOldResultsAreRead(t *testing.T) {
	files, err := filepath.Glob("testdata/old/*.json")
	if err != nil || len(files) != 22 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := result.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		v1 := strings.HasPrefix(filepath.Base(path), "v1-")
		if r.Old() != v1 || r.Conns.Target == 0 || r.Heartbeat.IntendedRTTms == nil && r.Scenario != "find-max" {
			t.Errorf("%s: schema %q, %+v, heartbeat %+v", path, r.Schema, r.Conns, r.Heartbeat)
		}
		if !v1 {
			wantSameFigures(t, path, text, r)
		}
		var page bytes.Buffer
		if err := WriteHTML(&page, Run{Name: path, Result: r}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		parse(t, page.Bytes())
	}
}

// wantSameFigures fails if a file has something that is not in what is written of it now, or otherwise.
func wantSameFigures(t *testing.T, path string, text []byte, r *result.Result) {
	t.Helper()
	if _, err := result.Read(bytes.NewReader(text)); err != nil { // which knows every field
		t.Errorf("%s: %v", path, err)
	}
	var again bytes.Buffer
	if err := r.WriteJSON(&again); err != nil {
		t.Fatal(err)
	}
	var was, is any
	if err := json.Unmarshal(text, &was); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again.Bytes(), &is); err != nil {
		t.Fatal(err)
	}
	for _, one := range changed("", was, is) {
		t.Errorf("%s: %s", path, one)
	}
}

// changed are the paths whose values in was are not those in is.
func changed(path string, was, is any) (all []string) {
	switch was := was.(type) {
	case map[string]any:
		now, _ := is.(map[string]any)
		for name, v := range was {
			all = append(all, changed(path+"."+name, v, now[name])...)
		}
	case []any:
		now, _ := is.([]any)
		if len(now) != len(was) {
			return []string{fmt.Sprintf("%s had %d elements and has %d", path, len(was), len(now))}
		}
		for i, v := range was {
			all = append(all, changed(fmt.Sprintf("%s[%d]", path, i), v, now[i])...)
		}
	default:
		if !reflect.DeepEqual(was, is) {
			return []string{fmt.Sprintf("%s was %v and is %v", path, was, is)}
		}
	}
	return all
}
