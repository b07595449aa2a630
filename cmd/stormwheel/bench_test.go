package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// smallHold is a run of a hundred clients against a spawned node.
func smallHold(more ...string) []string {
	return append([]string{"bench", "hold", "--spawn", "1", "--conns", "100", "--heartbeat", "500ms", "--timeout", "5s",
		"--tick", "50ms", "--duration", "1s", "--json", "-"}, more...)
}

// result reads a whole standard output as one JSON object.
func resultOf(t *testing.T, lines []string) (r result.Result) {
	t.Helper()
	if err := json.Unmarshal([]byte(strings.Join(lines, "\n")), &r); err != nil {
		t.Fatalf("standard output is not one JSON object: %v\n%s", err, strings.Join(lines, "\n"))
	}
	return r
}

func TestBenchWritesOnlyJSONToStandardOutput(t *testing.T) {
	p := stormwheel(t, smallHold()...)
	code, out := p.exit()
	r := resultOf(t, out)
	if r.Schema != result.Schema || r.Conns.End != 100 || r.Heartbeat.Answered == 0 || len(r.Thresholds) == 0 {
		t.Errorf("result = %+v; it said\n%s", r, p.stderr.String())
	}
	// On a machine that others load, the generator may be late; the code then says so.
	if want := map[result.Verdict]int{result.Pass: 0, result.Invalid: result.ExitInvalid}; code != want[r.Verdict] {
		t.Errorf("exit %d with verdict %s; it said\n%s", code, r.Verdict, p.stderr.String())
	}
	if s := p.stderr.String(); !strings.Contains(s, "verdict: "+string(r.Verdict)) || !strings.Contains(s, "all 100 clients are ready") {
		t.Errorf("no progress or no summary on standard error:\n%s", s)
	}
}

func TestBenchFailsAThreshold(t *testing.T) {
	p := stormwheel(t, smallHold("--threshold", "conns.end==99")...)
	code, out := p.exit()
	r := resultOf(t, out)
	if last := r.Thresholds[len(r.Thresholds)-1]; len(r.Thresholds) < 5 || last.Expr != "conns.end==99" || last.OK || last.Promise || !r.Promises || r.Verdict == result.Pass {
		t.Errorf("thresholds = %+v, verdict %s, want the one that was named after the promises, failed", r.Thresholds, r.Verdict)
	}
	if s := p.stderr.String(); !strings.Contains(s, "sessions at the end: 100, asked for 99") {
		t.Errorf("it does not say in words what failed:\n%s", s)
	}
	if code != result.ExitThreshold && code != result.ExitInvalid {
		t.Errorf("exit %d, want %d (or %d where the generator was late); it said\n%s", code, result.ExitThreshold, result.ExitInvalid, p.stderr.String())
	}
}

func TestBenchSaysThatThePromisesAreWaived(t *testing.T) {
	p := stormwheel(t, smallHold("--no-promises", "--threshold", "conns.end==100")...)
	_, out := p.exit()
	if r := resultOf(t, out); r.Promises || len(r.Thresholds) != 1 || r.Thresholds[0].Promise {
		t.Errorf("promises %v, thresholds %+v", r.Promises, r.Thresholds)
	}
	if s := p.stderr.String(); !strings.Contains(s, "are not judged (--no-promises)") {
		t.Errorf("the summary does not say so:\n%s", s)
	}
}

func TestBenchUsageIsOneLine(t *testing.T) {
	for _, tt := range []struct {
		env  []string
		args []string
		code int
		want string
	}{
		{nil, []string{"bench", "hold", "--frob"}, result.ExitUsage, "--frob"},
		{nil, []string{"bench"}, result.ExitUsage, "scenario"},
		{nil, []string{"bench", "dance", "--spawn", "1"}, result.ExitUsage, "there are hold, ramp, "},
		{nil, []string{"bench", "hold"}, result.ExitUsage, "--target"},
		{nil, []string{"bench", "hold", "--target", "192.0.2.1:7000"}, result.ExitUsage, "--i-own-this-target"},
		{nil, []string{"bench", "hold", "--spawn", "1", "--threshold", "conns.ned<1"}, result.ExitUsage, "ned"},
		{nil, []string{"bench", "hold", "--spawn", "1", "--conns", "1000000000"}, result.ExitImpossible, "ulimit -n"},
		{[]string{"STORMWHEEL_CONNS=-1"}, []string{"bench", "hold", "--spawn", "1"}, result.ExitUsage, "--conns"},
	} {
		p := start(t, tt.env, os.Args[0], tt.args...)
		code, out := p.exit()
		said := p.stderr.String()
		if code != tt.code || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 || len(out) != 0 {
			t.Errorf("%v %v: exit %d, output %q, error %q; want exit %d and one line with %q", tt.env, tt.args, code, out, said, tt.code, tt.want)
		}
	}
}

func TestBenchInterruptedWritesWhatRanAndLeavesNoNode(t *testing.T) {
	p := stormwheel(t, smallHold("--duration", "10m")...)
	for deadline := time.Now().Add(patience); !strings.Contains(p.stderr.String(), "are ready"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not ready; it said\n%s", p.stderr.String())
		}
	}
	p.signal(syscall.SIGINT)
	code, out := p.exit()
	r := resultOf(t, out)
	if code != result.ExitInterrupted || !r.Interrupted || r.Conns.End != 100 {
		t.Errorf("exit %d, interrupted %v, %d connections; it said\n%s", code, r.Interrupted, r.Conns.End, p.stderr.String())
	}
	if len(r.Server) != 1 || r.Server[0].PID == nil {
		t.Fatalf("servers = %+v, want the spawned one", r.Server)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", *r.Server[0].PID)); err == nil {
		t.Errorf("node %d is still there", *r.Server[0].PID)
	}
}

func TestBenchKeepsTheLastResultWhenARunDoesNotBegin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	// Longer than a result, so that a missing truncation shows.
	if err := os.WriteFile(file, []byte("the last result"+strings.Repeat(" .", 1<<15)), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _ := stormwheel(t, "bench", "hold", "--json", file).exit(); code != result.ExitUsage {
		t.Errorf("exit %d, want %d", code, result.ExitUsage)
	}
	if b, _ := os.ReadFile(file); !strings.HasPrefix(string(b), "the last result") {
		t.Errorf("the file now holds %d bytes: %.40q", len(b), b)
	}
	args := smallHold()
	args[len(args)-1] = file
	stormwheel(t, args...).exit()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if r := resultOf(t, []string{string(b)}); r.Conns.End != 100 {
		t.Errorf("result = %+v", r)
	}
}

func TestBenchDoesNotRunForAFileItCannotWrite(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := stormwheel(t, "bench", "hold", "--spawn", "1", "--json", filepath.Join(blocked, "r.json"))
	if code, _ := p.exit(); code != result.ExitOther || strings.Contains(p.stderr.String(), "ready") {
		t.Errorf("exit %d; it said\n%s", code, p.stderr.String())
	}
}

func TestTheHelpOfAScenarioShowsItsFlagsAndThoseOfAll(t *testing.T) {
	for scenario, flags := range map[string]struct{ shown, hidden string }{
		"trickle": {"--trickle-interval --deadline --fraction --conns --json", "--kind --lifetime --goal --probes --freeze"},
		"storm":   {"--kind --outage --cohorts --conns --json", "--trickle --lifetime --goal --deadline"},
		"hold":    {"--duration --conns --password-file", "--kind --fraction --lifetime"},
	} {
		code, out := stormwheel(t, "bench", scenario, "--help").exit()
		help := strings.Join(out, "\n")
		_, list, _ := strings.Cut(help, "\nFlags:\n")
		for _, flag := range strings.Fields(flags.shown) {
			if code != 0 || !strings.Contains(list, flag+"=") {
				t.Errorf("bench %s --help: exit %d, %s is missing", scenario, code, flag)
			}
		}
		for _, flag := range strings.Fields(flags.hidden) {
			if strings.Contains(list, " "+flag+"=") {
				t.Errorf("bench %s --help shows %s", scenario, flag)
			}
		}
	}
}
