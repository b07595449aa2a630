package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench"
)

func TestARulesFileSaysHowARunIsJudged(t *testing.T) {
	first := textFile(t, "first.yaml", `
# what a release holds
promises: false
thresholds:
  - heartbeat.rtt_ms.p99[steady] < 50
  - "conns.lost==0"
abort-on: conns.lost > 100
abort-after: 5s
`)
	second := textFile(t, "second.yaml", "- connect.failed==0\n")
	r, err := readRules([]string{first, second})
	if err != nil {
		t.Fatal(err)
	}
	c := bench.Config{Thresholds: []string{"conns.end>0"}}
	r.addTo(&c)
	if want := []string{"conns.end>0", "heartbeat.rtt_ms.p99[steady] < 50", "conns.lost==0", "connect.failed==0"}; !slices.Equal(c.Thresholds, want) ||
		!slices.Equal(c.AbortOn, []string{"conns.lost > 100"}) || c.AbortAfter != 5*time.Second || !c.NoPromises {
		t.Errorf("%q, abort on %q after %v, no promises %v", c.Thresholds, c.AbortOn, c.AbortAfter, c.NoPromises)
	}
	c = bench.Config{AbortAfter: time.Second}
	if r.addTo(&c); c.AbortAfter != time.Second {
		t.Errorf("the file comes before the flag: %v", c.AbortAfter)
	}
}

func TestARulesFileThatIsWrongNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                "it says nothing",
		"# nothing\n":     "it says nothing",
		"conns.lost==0\n": "line 1: neither a list of thresholds nor thresholds, promises, abort-on, abort-after",
		"thresholds:\n- conns.lost==0\nabort_on: x\n": `line 3: no "abort_on"; did you mean abort-on? There are`,
		"treshold: [a]\n":                    "did you mean thresholds?",
		"- conns.lost==0\n- conns.lots==0\n": `line 2: threshold "conns.lots==0": no "lots"`,
		"- conns.lost[==0\n":                 "line 1: threshold",
		"- [conns.lost==0]\n":                "line 1: want an expression",
		"thresholds:\n  a: b\n":              "line 2: want a list of expressions",
		"promises: perhaps\n":                `"perhaps" is neither true nor false`,
		"abort-after: 5\n":                   `"5" is no duration, as in 5s`,
		"- a: [\n":                           "line",
	} {
		file := textFile(t, "rules.yaml", text)
		_, err := readRules([]string{file})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--rules: "+file) || exitCode(err) != exitUsage || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, want)
		}
	}
	if _, err := readRules([]string{filepath.Join(t.TempDir(), "none")}); exitCode(err) != exitUsage {
		t.Errorf("no file: %v", err)
	}
}
