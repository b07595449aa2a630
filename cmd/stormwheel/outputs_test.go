package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench"
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
	t.Chdir(dir)
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
		{"the same, new, by a short name", "", fresh, "fresh", "is that of --json already"},
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

// What cannot be written is told before the run that would be lost, and the first of several
// errors is the one that is told.
func TestAnOutputIsTriedWhenItIsOpened(t *testing.T) {
	dir := t.TempDir()
	var o outputs
	w := o.open("--json", filepath.Join(dir, "new", "folder", "a.json"))
	if o.err != nil {
		t.Fatalf("in a folder that is not there yet: %v", o.err)
	}
	o.open("--csv", dir)
	first := o.err
	o.open("--html", filepath.Join(dir, "b.html"))
	if first == nil || o.err != first {
		t.Errorf("a folder for a file is %v, and after another file %v", first, o.err)
	}
	if _, err := w.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	o.files[0].file.Close() // as a disk that fails at the end
	if o.close() == nil {
		t.Error("a file that could not be closed is no error")
	}
}

// Every command knows all its files, and finds out before it does anything.
func TestNoCommandWritesOverItsOwnFiles(t *testing.T) {
	seed := func(n uint64) func(*bench.Result) { return func(r *bench.Result) { r.Seed = n } }
	a, b := resultFile(t, "a.json", seed(1)), resultFile(t, "b.json", seed(2))
	day := textFile(t, "day.yaml", "spawn: 1\nphases: [{ramp: 1}, {hold: 1ms}]\n")
	fresh := filepath.Join(t.TempDir(), "fresh")
	hold := "bench hold --spawn 1 --conns 1 --duration 1ms --json " + fresh
	for _, tt := range []struct{ args, want string }{
		{hold + " --csv " + fresh, "--csv: " + fresh + " is that of --json already"},
		{hold + " --html " + fresh, "--html: " + fresh + " is that of --json already"},
		{hold + " --html -", "--html: - is no file"},
		{"bench " + day + " --json " + day, "is an input already"},
		{"bench report " + a + " --html " + a, "is an input already"},
		{"bench report " + a + " --html -", "--html: - is no file"},
		{"bench compare " + a + " " + b + " --html " + b, "is an input already"},
		{"bench merge " + a + " " + b + " --json " + b, "is an input already"},
		{"bench merge " + a + " " + a + " --json " + b, "same seed"},
		{"bench merge " + a + " " + a + " --json " + fresh, "same seed"},
	} {
		was := contents(t, a, b, day)
		p := stormwheel(t, strings.Fields(tt.args)...)
		code, out := p.exit()
		if said := p.stderr.String(); code != exitUsage || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 || len(out) != 0 {
			t.Errorf("%s: exit %d, output %q, error %q; want one line with %q", tt.args, code, out, said, tt.want)
		}
		if contents(t, a, b, day) != was {
			t.Errorf("%s: a file has changed", tt.args)
		}
		if _, err := os.Lstat(fresh); err == nil {
			t.Errorf("%s: a file without a result is there", tt.args)
		}
	}
}

func contents(t *testing.T, files ...string) (all string) {
	t.Helper()
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	return all
}
