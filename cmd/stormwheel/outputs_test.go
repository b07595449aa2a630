package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoOutputTakesThePlaceOfAnotherOrOfAnInput(t *testing.T) {
	dir := t.TempDir()
	one := filepath.Join(dir, "one.json")
	if err := os.WriteFile(one, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.json")
	if err := os.Symlink(one, link); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "fresh")
	for _, tt := range []struct {
		name        string
		reads       string
		first, then string
		want        string // empty: fine
	}{
		{"two files", "", one, fresh, ""},
		{"the same, there", "", one, one, "--html: " + one + " is that of --json already"},
		{"the same, by a link", "", one, link, "is that of --json already"},
		{"the same, new", "", fresh, filepath.Join(dir, "x", "..", "fresh"), "is that of --json already"},
		{"an input", one, link, "", "--json: " + link + " is an input already"},
		{"a device for both", "", os.DevNull, os.DevNull, ""},
		{"standard output", "", fresh, "-", "--html: - is no file"},
	} {
		var o outputs
		if tt.reads != "" {
			o.reads(tt.reads)
		}
		o.open("--json", tt.first)
		if tt.then != "" {
			o.open("--html", tt.then)
		}
		switch {
		case tt.want == "" && o.err != nil:
			t.Errorf("%s: %v", tt.name, o.err)
		case tt.want != "" && (o.err == nil || !strings.HasSuffix(o.err.Error(), tt.want) || exitCode(o.err) != exitUsage):
			t.Errorf("%s: %v, want a usage error that ends in %q", tt.name, o.err, tt.want)
		}
		if err := o.close(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if b, err := os.ReadFile(one); err != nil || string(b) != "dear" {
		t.Errorf("%q, %v: a file that was there has changed", b, err)
	}
	if _, err := os.Lstat(fresh); err == nil {
		t.Error("a file that nothing was written to is there")
	}
}
