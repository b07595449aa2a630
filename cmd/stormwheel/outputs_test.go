package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
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
	o.files[0].file.Close() // as a disk that fails at the end; what was there stays
	if o.close() == nil {
		t.Error("a file that could not be closed is no error")
	}
}

// Every command knows all its files, and finds out before it does anything.
func TestNoCommandWritesOverItsOwnFiles(t *testing.T) {
	seed := func(n uint64) func(*result.Result) { return func(r *result.Result) { r.Seed = n } }
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

// What was there stays until the new file is whole, whatever is in the way of it: a disk that
// is full, here a limit on files, or a run that ends.
func TestAFileIsReplacedByAWholeOneOnly(t *testing.T) {
	dir := t.TempDir()
	old, link := filepath.Join(dir, "old.json"), filepath.Join(dir, "link.json")
	reset := func() {
		if err := os.WriteFile(old, []byte("dear"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	reset()
	if err := os.Symlink(old, link); err != nil {
		t.Fatal(err)
	}
	const whole = "a new result"
	for _, tt := range []struct {
		name string
		end  func(o *outputs, w *output) error
		want string
	}{
		{"written", func(o *outputs, _ *output) error { return o.close() }, whole},
		{"closed twice", func(o *outputs, _ *output) error { defer o.abandon(); return o.close() }, whole},
		{"not ended", func(o *outputs, _ *output) error { return nil }, "dear"},
		{"abandoned", func(o *outputs, _ *output) error { o.abandon(); return nil }, "dear"},
		{"a disk that is full", func(o *outputs, w *output) error {
			was := w.file
			w.file, _ = os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if _, err := w.Write([]byte("more")); err == nil {
				t.Error("a full disk is no error")
			}
			w.file.Close()
			w.file = was
			return o.close()
		}, "dear"},
	} {
		for _, path := range []string{old, link} {
			reset()
			var o outputs
			w := o.open("--json", path)
			if o.err != nil {
				t.Fatal(o.err)
			}
			if _, err := w.Write([]byte(whole)); err != nil {
				t.Fatal(err)
			}
			if err := tt.end(&o, w.(*output)); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			o.abandon()
			if b, err := os.ReadFile(old); err != nil || string(b) != tt.want {
				t.Errorf("%s: %q, %v; want %q", tt.name, b, err, tt.want)
			}
			if info, err := os.Lstat(old); err != nil || info.Mode() != 0o640 {
				t.Errorf("%s: %v, %v; want the permissions of before", tt.name, info.Mode(), err)
			}
			if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
				t.Errorf("%s: the link is none any more: %v", tt.name, err)
			}
			if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
				t.Errorf("%s: %v, %v in the folder, want two files", tt.name, names, err)
			}
		}
	}
}

// A run that is killed leaves the rows of its seconds.
func TestTheRowsOfAKilledRunAreThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.csv")
	p := stormwheel(t, "bench", "hold", "--spawn", "1", "--conns", "2", "--heartbeat", "500ms", "--duration", "1h", "--no-tui", "--csv", file)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		b, _ := os.ReadFile(file) // it is not there yet
		if strings.Count(string(b), "\n") >= 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q after %v, want a header and two rows", b, patience)
		}
	}
	p.signal(syscall.SIGKILL)
	p.exit()
	b, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(b), "t_s,ready,") || !strings.HasSuffix(string(b), "\n") {
		t.Errorf("%q, %v; want whole rows", b, err)
	}
}

// A result that was asked for and would go nowhere is told before the run.
func TestAResultForAClosedStandardOutputIsAnError(t *testing.T) {
	hold := "bench hold --spawn 1 --conns 1 --heartbeat 100ms --tick 50ms --duration 1ms --quiet --json -"
	for redirection, want := range map[string]int{">&-": exitError, ">/dev/null": 0, ">/dev/full": exitError} {
		p := start(t, nil, "sh", "-c", os.Args[0]+" "+hold+" "+redirection)
		if code, _ := p.exit(); code != want && !(want == 0 && code == result.ExitInvalid) {
			t.Errorf("%s: exit %d, want %d; it said\n%s", redirection, code, want, p.stderr.String())
		}
	}
}
