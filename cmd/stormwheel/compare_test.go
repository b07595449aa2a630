package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

// resultFile writes a result, with the given changes.
func resultFile(t *testing.T, name string, with func(*result.Result)) string {
	t.Helper()
	r := &result.Result{Schema: result.Schema, Scenario: "hold", Verdict: result.Pass}
	r.Conns.Target, r.Conns.End = 10, 10
	if with != nil {
		with(r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return textFile(t, name, string(text))
}

func textFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCompareShowsRatiosToTheFirst(t *testing.T) {
	one := resultFile(t, "one.json", nil)
	other := resultFile(t, "other.json", func(r *result.Result) { r.Conns.End = 5 })
	dir := t.TempDir()
	p := stormwheel(t, "bench", "compare", one, other, "--html", filepath.Join(dir, "page.html"), "--svg", filepath.Join(dir, "pictures"))
	code, out := p.exit()
	said := strings.Join(out, "\n")
	if code != 0 || !strings.Contains(said, "other") || !strings.Contains(said, "5 (0.50)") {
		t.Errorf("exit %d, table:\n%s\nerror:\n%s", code, said, p.stderr.String())
	}
	page, err := os.ReadFile(filepath.Join(dir, "page.html"))
	if err != nil || !strings.Contains(string(page), "5 (0.50)") {
		t.Errorf("page: %v\n%.300s", err, page)
	}
}

func TestCompareLabelsRunsByPolicyIfThatDiffers(t *testing.T) {
	policy := func(name string) func(*result.Result) {
		return func(r *result.Result) { r.Storm = &result.Storm{Kind: "kill", Policy: name} }
	}
	_, out := stormwheel(t, "bench", "compare", resultFile(t, "a.json", policy("window")), resultFile(t, "b.json", policy("full"))).exit()
	if head := strings.Fields(out[0]); len(head) != 2 || head[0] != "window" || head[1] != "full" {
		t.Errorf("head = %q, want the policies", out[0])
	}
}

func TestCompareWarnsOfAnOlderSchema(t *testing.T) {
	old := resultFile(t, "old.json", func(r *result.Result) { r.Schema = "stormwheel.bench/v1" })
	p := stormwheel(t, "bench", "compare", resultFile(t, "now.json", nil), old)
	code, _ := p.exit()
	if s := p.stderr.String(); code != 0 || strings.Count(s, "\n") != 1 || !strings.Contains(s, "old.json is of stormwheel.bench/v1") {
		t.Errorf("exit %d, it said %q; want one line that warns", code, s)
	}
	p = stormwheel(t, "bench", "merge", old, old)
	code, _ = p.exit()
	if s := p.stderr.String(); code != result.ExitUsage || strings.Count(s, "\n") != 1 || !strings.Contains(s, `its schema is "stormwheel.bench/v1"`) {
		t.Errorf("merge: exit %d, it said %q; want one line that refuses", code, s)
	}
	if code, _ := stormwheel(t, "bench", "report", old, "--svg", t.TempDir()).exit(); code != 0 {
		t.Errorf("report: exit %d", code)
	}
}

func TestCompareRefusesWhatItCannotRead(t *testing.T) {
	good := resultFile(t, "good.json", nil)
	for _, tt := range []struct{ file, want string }{
		{resultFile(t, "v9.json", func(r *result.Result) { r.Schema = "stormwheel.bench/v9" }), "v9"},
		{textFile(t, "text.json", "no result"), "text.json"},
		{textFile(t, "empty.json", ""), "empty.json"},
		{filepath.Join(t.TempDir(), "none.json"), "none.json"},
		{"", "two or more"},
	} {
		args := []string{"bench", "compare", good}
		if tt.file != "" {
			args = append(args, tt.file)
		}
		p := stormwheel(t, args...)
		code, out := p.exit()
		if tt.file != "" {
			alone := stormwheel(t, "bench", "report", tt.file, "--html", filepath.Join(t.TempDir(), "page.html"))
			if code, _ := alone.exit(); code != exitUsage || !strings.Contains(alone.stderr.String(), tt.want) {
				t.Errorf("report %s: exit %d, error %q", tt.file, code, alone.stderr.String())
			}
		}
		if said := p.stderr.String(); code != exitUsage || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 || len(out) != 0 {
			t.Errorf("%v: exit %d, output %q, error %q; want exit %d and one line with %q", args, code, out, said, exitUsage, tt.want)
		}
	}
}

func TestBenchDoesNotRunForPicturesItCannotWrite(t *testing.T) {
	blocked := textFile(t, "file", "")
	for _, flag := range []string{"--html", "--svg"} {
		p := stormwheel(t, "bench", "hold", "--spawn", "1", flag, filepath.Join(blocked, "x"))
		if code, _ := p.exit(); code != result.ExitOther || strings.Contains(p.stderr.String(), "ready") {
			t.Errorf("%s: exit %d; it said\n%s", flag, code, p.stderr.String())
		}
	}
}

func TestBenchDrawsItsRun(t *testing.T) {
	dir := t.TempDir()
	page, pictures := filepath.Join(dir, "page.html"), filepath.Join(dir, "pictures")
	p := stormwheel(t, smallHold("--html", page, "--svg", pictures)...)
	p.exit()
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "conns.end==100") || !strings.Contains(string(text), "<svg") {
		t.Errorf("page: %v\n%.300s\nit said\n%s", err, text, p.stderr.String())
	}
	if files, _ := filepath.Glob(filepath.Join(pictures, "*.svg")); len(files) < 3 {
		t.Errorf("pictures: %v", files)
	}
}

func TestReportDrawsAResultThatIsOver(t *testing.T) {
	file := resultFile(t, "one.json", func(r *result.Result) { r.Detail.Seconds = []result.Second{{T: 1, Ready: 10}} })
	dir := t.TempDir()
	p := stormwheel(t, "bench", "report", file, "--html", filepath.Join(dir, "page.html"), "--svg", dir)
	if code, _ := p.exit(); code != 0 {
		t.Fatalf("exit %d: %s", code, p.stderr.String())
	}
	for _, name := range []string{"page.html", "online.svg"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(text) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
}
