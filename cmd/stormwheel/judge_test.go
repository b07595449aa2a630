package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

// judgedFile is a result with seconds, of which one lost clients.
func judgedFile(t *testing.T) string {
	return resultFile(t, "run.json", func(r *result.Result) {
		r.WallS, r.Promises, r.Conns.Lost, r.Generator.LateMs = 3, true, 5, &result.GeneratorLate{}
		r.Detail.Phases = []result.PhaseSeen{{Name: "ramp"}, {Name: "hold", T: 1}}
		for i := range 3 {
			r.Detail.Seconds = append(r.Detail.Seconds, result.Second{T: float64(i + 1), Counts: map[string]int{}, Histograms: map[string]string{}})
		}
		r.Detail.Seconds[2].Lost = 5
		r.Thresholds = []result.ThresholdSeen{{Expr: "conns.end==10", Promise: true, OK: true}}
	})
}

func TestJudgeHasTheExitCodesOfARun(t *testing.T) {
	file := judgedFile(t)
	invalid := resultFile(t, "cut.json", func(r *result.Result) { r.Interrupted, r.Generator.LateMs = true, &result.GeneratorLate{} })
	rules := textFile(t, "rules.yaml", "- conns.lost[hold] < 5\n")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{file}, 0, "verdict: pass"},
		{[]string{file, "--threshold", "conns.lost[1s..2s]==0"}, 0, "ok   conns.lost[1s..2s]==0  0"},
		{[]string{file, "--threshold", "conns.lost==0"}, result.ExitThreshold, "sessions lost: 5, asked for 0; since second 3"},
		{[]string{file, "--rules", rules}, result.ExitThreshold, "sessions lost in hold: 5, asked for less than 5; since second 3"},
		{[]string{file, "--threshold", "conns.lost[steady]==0"}, exitUsage, `no phase "steady"; there are ramp, hold`},
		{[]string{file, "--threshold", "conns.lost[5s..9s]==0"}, exitUsage, "reaches beyond the run, which took 3.0 s"},
		{[]string{file, "--threshold", "storm.t99_s[hold]<1"}, exitUsage, "is of the whole run"},
		{[]string{file, "--no-promises"}, 0, "not judged"},
		{[]string{invalid}, result.ExitInvalid, "interrupted"},
		{[]string{file, "--json", file}, exitUsage, "is an input already"},
		{[]string{filepath.Join(t.TempDir(), "none.json")}, exitUsage, "no such file"},
	} {
		p := stormwheel(t, append([]string{"bench", "judge"}, tt.args...)...)
		if code, _ := p.exit(); code != tt.code || !strings.Contains(p.stderr.String(), tt.says) {
			t.Errorf("%q: exit %d, it said\n%s\nwant %d and %q", tt.args, code, p.stderr.String(), tt.code, tt.says)
		}
	}
}

// What is written for CI is whole, and takes the place of nothing that was read.
func TestJudgeAndReportWriteForCI(t *testing.T) {
	file, dir := judgedFile(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	p := stormwheel(t, "bench", "judge", file, "--threshold", "conns.lost==0", "--json", in("judged.json"), "--junit", in("a.xml"), "--markdown", in("a.md"), "--openmetrics", in("a.txt"))
	if code, _ := p.exit(); code != result.ExitThreshold {
		t.Fatalf("exit %d: %s", code, p.stderr.String())
	}
	p = stormwheel(t, "bench", "report", in("judged.json"), "--junit", in("b.xml"), "--markdown", in("b.md"), "--openmetrics", in("b.txt"))
	if code, _ := p.exit(); code != 0 {
		t.Fatalf("report: exit %d: %s", code, p.stderr.String())
	}
	for name, want := range map[string]string{"xml": `failures="1"`, "md": "**FAIL** | `conns.lost==0`", "txt": `expr="conns.lost==0",type="threshold"} 0`} {
		a, err := os.ReadFile(in("a." + name))
		b, reportErr := os.ReadFile(in("b." + name))
		if err != nil || reportErr != nil || string(a) != string(b) || !strings.Contains(string(a), want) {
			t.Errorf("%s: %v, %v; want %q in the same of both\n%s", name, err, reportErr, want, a)
		}
	}
	if text, _ := os.ReadFile(in("a.xml")); xml.Unmarshal(text, new(struct{})) != nil {
		t.Errorf("no XML:\n%s", text)
	}
	before, _ := os.ReadFile(file)
	for _, flag := range []string{"--junit", "--markdown", "--openmetrics"} {
		p := stormwheel(t, "bench", "report", file, flag, file)
		if code, _ := p.exit(); code != exitUsage || !strings.Contains(p.stderr.String(), "is an input already") {
			t.Errorf("%s over its input: exit %d, %s", flag, code, p.stderr.String())
		}
		p = stormwheel(t, "bench", "report", file, flag, "/dev/full")
		if code, _ := p.exit(); code != exitError {
			t.Errorf("%s to a full disk: exit %d, %s", flag, code, p.stderr.String())
		}
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Error("the input has changed")
	}
}
