package main

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// tiny takes seconds. Its figures mean nothing, but there is one of each.
var tiny = size{
	live: 120, silent: 130,
	hit: 200, spared: 100,
	moved: 200,
	admit: 400, pace: 400, ramp: 390,
	heartbeat: 500 * time.Millisecond, timeout: 1250 * time.Millisecond,
	calm:     time.Second,
	silences: 2, storms: 1,
	atOnce: true,
}

func TestEveryPromiseIsMeasuredAndWritten(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "stormwheel")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/stormwheel").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	page := filepath.Join(dir, "page.md")
	if err := os.WriteFile(page, []byte("# Before\n\n<!-- promises:begin -->\nold\n<!-- promises:end -->\n\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(bin, filepath.Join(dir, "out"), page, tiny); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, row := range []string{
		`silent clients that are evicted \| 130 \| 130 \| 2 \|`,
		`evictions that are early, or of live clients \| 0 \| \d+`,
		`the last eviction, after its timeout \| at most 550\.0 ms \| \d+\.\d ms`,
		`round trip p99 of the live clients, since the others are silent, pooled \| at most \d+\.\d ms \| \d+\.\d ms after \d+\.\d ms`,
		`the same in the seconds that have evictions, their median \| at most \d+\.\d ms \| \d+\.\d ms`,
		`99 % are back, in ideals \| at most 1\.100 \| \d\.\d+`,
		`all are back \| at most 1\.55 s \| \d`,
		`attempts per success \| at most 1\.100 \| \d`,
		`false evictions, and sessions lost of clients that are not hit \| 0 \| \d`,
		`round trip p99 of the clients that are not hit, since the kill, pooled \| at most \d+\.\d ms \| \d`,
		`clients that move \| 200 \| 200 \| 1 \|`,
		`of them, offline for a moment \| 0 \| \d`,
		`accept rate of the receiver, by the pace of the drain \| 0\.900 to 1\.100 \| \d`,
		`well-behaved clients that are lost \| 0 \| \d+ beside \d+ round trips`,
		`RSS afterwards, by that before \| at most 1\.100 \| \d\.\d+: [\d,]+ KiB after [\d,]+`,
	} {
		if !regexp.MustCompile(`(?m)^\| ` + row).MatchString(text) {
			t.Errorf("no row %s", row)
		}
	}
	if !strings.HasPrefix(text, "# Before\n") || !strings.HasSuffix(text, "\nafter\n") || strings.Contains(text, "\nold\n") {
		t.Error("what is around the section has changed, or what was in it has not")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestOneRunThatMissesIsAMiss(t *testing.T) {
	for _, test := range []struct {
		f      figure
		got    string
		missed string
	}{
		{atMost("", ms, 550, []float64{20, 550, 30}), "30.0 ms [20.0 ms - 550.0 ms]", ""},
		{atMost("", ms, 550, []float64{20, 600, 30}), "30.0 ms [20.0 ms - 600.0 ms]", "missed in 1 of 3 runs, by 50.0 ms at most"},
		{atMost("", seconds, 12, []float64{11, math.Inf(1)}), "never [11.00 s - never]", "missed in 1 of 2 runs: not all came"},
		{exactly("", 9000, []float64{9000, 9000}), "9,000", ""},
		{exactly("", 9000, []float64{9000, 8998}), "8,999 [8,998 - 9,000]", "missed in 1 of 2 runs, by 2 at most"},
		{within("", ratio, 0.9, 1.1, []float64{0.95, 0.85}), "0.900 [0.850 - 0.950]", "missed in 1 of 2 runs, by 0.050 at most"},
		{calmly("", 5, 2, 12, "x"), "x", ""},
		{calmly("", 5, 2, 12.5, "x"), "x", "missed by 0.5 ms"},
		{calmly("", 5, 30, 60, "x"), "x", ""},
	} {
		if test.f.got != test.got || test.f.missed != test.missed {
			t.Errorf("%+v, want got %q, missed %q", test.f, test.got, test.missed)
		}
	}
}

func TestLostClientsAndAFailedTestOfTheAdversariesAreMisses(t *testing.T) {
	const rest = "siege_test.go:1: beside it: 9 round trips\nadversary_test.go:1: RSS 10 KiB when fresh, 1000 before, %s after; more\n"
	for _, test := range []struct {
		said   string
		passed bool
		missed []string
	}{
		{strings.ReplaceAll(rest, "%s", "1100"), true, []string{"", ""}},
		{strings.ReplaceAll(rest, "%s", "1200"), false, []string{"", "missed in 1 of 1 runs, by 0.100 at most"}},
		{strings.ReplaceAll(rest, "%s", "900") + "3 well-behaved clients were lost: [x]\n", false, []string{"missed in 1 of 1 runs, by 3 at most", ""}},
		{strings.ReplaceAll(rest, "%s", "900"), false, []string{"missed: the test fails for another reason", ""}},
	} {
		g := siege{passed: test.passed}
		if err := g.read(test.said); err != nil {
			t.Fatal(err)
		}
		var missed []string
		for _, f := range g.figures() {
			missed = append(missed, f.missed)
		}
		if !slices.Equal(missed, test.missed) {
			t.Errorf("%q: missed %q, want %q", test.said, missed, test.missed)
		}
	}
	if err := new(siege).read("ok\n"); err == nil {
		t.Error("a test that says nothing is taken for one that passes")
	}
}

func TestTheLongestTurnThatTheNodeSaidIsKept(t *testing.T) {
	said := make(chan string, 8)
	for _, answer := range []string{`{"longest_turn_seconds":0.0005}`, `{"longest_turn_seconds":0.002}`, `no JSON`, `{"longest_turn_seconds":0.001}`, `{}`} {
		said <- answer
	}
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case answer := <-said:
			io.WriteString(w, answer)
		default:
		}
	}))
	defer node.Close()
	watch := watchTurns(node.Listener.Addr().String())
	for end := time.Now().Add(20 * time.Second); len(said) > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if got := watch.close(); got != 2*time.Millisecond {
		t.Errorf("the longest turn is %v, want 2ms", got)
	}
}
