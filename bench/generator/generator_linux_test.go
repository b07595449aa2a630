package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// The test binary is the command too, so that the parts run in processes of their own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && parts[os.Args[1]] != nil {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEverythingIsMeasuredAndWritten(t *testing.T) {
	dir := t.TempDir()
	keep, page := filepath.Join(dir, "generator.json"), filepath.Join(dir, "BENCHMARKS.md")
	flags := []string{"--json", keep, "--md", page, "--million", filepath.Join(dir, "million.json"), "--million-larger", filepath.Join(dir, "larger.json")}
	if err := run(append([]string{"measure", "--effort", "tiny"}, flags...)); err != nil {
		t.Fatal(err)
	}
	r, err := readResults(keep)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range holders {
		for _, m := range r.Memory[h.kind] {
			if m.Many.Ready != r.Effort.Conns || m.Few.Ready != r.Effort.Few || m.Few.RSS <= 0 {
				t.Errorf("memory of %s: %+v, want %d and %d clients", h.kind, m, r.Effort.Conns, r.Effort.Few)
			}
		}
	}
	if n := r.perConn("plain", collected).median; n < 2048 {
		t.Errorf("a plain client takes %.0f B, less than its goroutine's stack", n)
	}
	for _, w := range ways {
		if s := spreadOf(r.Connects[w.name], func(o outcome) float64 { return o.ConnectsPerS }); s.low <= 0 {
			t.Errorf("connects of %s: %+v", w.name, r.Connects[w.name])
		}
	}
	for _, o := range r.Late {
		if len(o.LateSeconds) == 0 || o.LateP99 <= 0 || o.PingsPerS < r.Effort.Pings/2 {
			t.Errorf("lateness %+v, want the seconds of a hold with about %.0f PINGs each", o, r.Effort.Pings)
		}
	}
	before, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(before)
	if !strings.Contains(text, "<!-- generator:begin -->") || !strings.Contains(text, "Not measured: `make million`") ||
		strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || strings.Contains(text, "%!") {
		t.Errorf("the section is\n%s", text)
	}
	if err := run(append([]string{"report"}, flags...)); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(page); err != nil || string(after) != text {
		t.Errorf("report wrote something else than measure (%v):\n%s", err, after)
	}
}

func TestAMillionIsToldIfThereIsOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "million.json")
	res := &result.Result{Schema: result.Schema, WallS: 321, Verdict: result.Pass, Conns: result.Conns{Target: 1_000_000, End: 1_000_000},
		Connect: result.Connect{RatePerS: new(5000.0)}, Memory: result.Memory{KernelBytesPerConn: new(8123.0)}}
	text, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := section(&results{Effort: efforts["full"]}, file, filepath.Join(t.TempDir(), "none.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| connections at the end | 1,000,000 |", "| all connected after, s | 200 |", "| kernel, B a connection | 8123 |",
		"| server, B a connection | unknown |", "| `make million`, teardown apart | at most 360 s | 321 s [321-321] | reached |"} {
		if !strings.Contains(got, want) {
			t.Errorf("the section has no %q:\n%s", want, got)
		}
	}
	const larger = "### A million connections on a larger machine"
	if strings.Contains(got, larger) {
		t.Errorf("the section tells of a larger machine that there was not:\n%s", got)
	}
	if got, err = section(&results{Effort: efforts["full"]}, file, file); err != nil || strings.Count(got, "| connections at the end | 1,000,000 |") != 2 || !strings.Contains(got, larger) {
		t.Errorf("the section does not tell of the larger machine (%v):\n%s", err, got)
	}
}

func TestAFigureSaysByHowMuchItWasMissed(t *testing.T) {
	for _, test := range []struct {
		f    figure
		want string
	}{
		{figure{wanted: 512, atMost: true, got: spread{512, 500, 520}}, "| reached |"},
		{figure{wanted: 512, atMost: true, got: spread{640, 600, 700}, why: "Because."}, "| missed by 25 %. Because. |"},
		{figure{wanted: 512, atMost: true}, "| missed"}, // nothing was measured
		{figure{wanted: 80, got: spread{80, 70, 90}}, "| reached |"},
		{figure{wanted: 80, got: spread{60, 50, 70}, why: "Because."}, "| missed by 25 %. Because. |"},
	} {
		if got := test.f.row(); !strings.Contains(got, test.want) {
			t.Errorf("row() = %q, want %q in it", got, test.want)
		}
	}
}

// A part whose parent is gone must not go on.
func TestAPartEndsWithItsParent(t *testing.T) {
	for _, server := range []string{"node", "accept"} {
		c, err := start(server)
		if err != nil {
			t.Fatal(err)
		}
		var at ready
		if err := c.hear(&at); err != nil {
			t.Fatal(err)
		}
		if err := c.in.Close(); err != nil { // as the kernel does when the parent dies
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			c.end()
			t.Errorf("%s goes on", server)
		}
	}
}
