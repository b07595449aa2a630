package generator

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// sectionBeside is the section by what other commands have left in a folder.
func sectionBeside(t *testing.T) (dir string, section func() string) {
	dir = t.TempDir()
	k := kit.New(kit.Place{Out: dir}, Section, kit.Effort{Name: "full"}, "make bench-generator")
	return dir, func() string {
		t.Helper()
		p, err := kit.PageOf(Section, k)
		if err != nil {
			t.Fatal(err)
		}
		return p.String()
	}
}

func TestAMillionIsToldIfThereIsOne(t *testing.T) {
	dir, section := sectionBeside(t)
	if got := section(); !strings.Contains(got, "Not measured: `make million`") {
		t.Errorf("the section tells of a million that there was not:\n%s", got)
	}
	res := &result.Result{Schema: result.Schema, Started: time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC), WallS: 321, Verdict: result.Pass, Conns: result.Conns{Target: 1_000_000, End: 1_000_000},
		Connect: result.Connect{RatePerS: new(5000.0)}, Memory: result.Memory{KernelBytesPerConn: new(8123.0)}}
	text, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "million.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	got := section()
	for _, want := range []string{"| connections at the end | 1,000,000 |", "| all connected after, s | 200 |", "| kernel, B a connection | 8123 |",
		"| server, B a connection | unknown |", "| `make million`, teardown apart | at most 360 s | 321 s | 1 | reached |",
		"| `make million` is valid and passes | at least 1 | 1 of 1 | 1 | reached |"} {
		if !strings.Contains(got, want) {
			t.Errorf("the section has no %q:\n%s", want, got)
		}
	}
	const larger = "### A million connections on a larger machine"
	if strings.Contains(got, larger) {
		t.Errorf("the section tells of a larger machine that there was not:\n%s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "million-larger.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if got = section(); strings.Count(got, "| connections at the end | 1,000,000 |") != 2 || !strings.Contains(got, larger) {
		t.Errorf("the section does not tell of the larger machine:\n%s", got)
	}

	// Runs that are kept under numbers have columns of their own, by when they began.
	res.Started, res.Verdict, res.Generator.WhyInvalid = res.Started.Add(-time.Hour), result.Invalid, new("the generator was late, p99 43.4 ms")
	keep := func(name string) {
		if text, err = json.Marshal(res); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	keep("million-1.json")
	res.Started, res.Generator.WhyInvalid = res.Started.Add(2*time.Hour), new("the generator was late, p99 50 ms")
	keep("million-2.json")
	for _, want := range []string{"| verdict | invalid: the generator was late, p99 43.4 ms | pass | invalid: the generator was late, p99 50 ms |",
		"| connections at the end | 1,000,000 | 1,000,000 | 1,000,000 |",
		"| `make million` is valid and passes | at least 3 | 1 of 3 | 3 | **missed** by 2 |"} {
		if got = section(); !strings.Contains(got, want) {
			t.Errorf("the section has no %q:\n%s", want, got)
		}
	}
}

func TestWhatAnEmulatedMachineHeldIsTold(t *testing.T) {
	dir, section := sectionBeside(t)
	if got := section(); !strings.Contains(got, "Not measured: `bench/lab/million/million-vm.sh") {
		t.Errorf("the section tells of a machine that there was not:\n%s", got)
	}
	// As the serial line has it.
	text := "MACHINE 1000000 14 1500 on 2026-12-01, commit abc: QEMU\nstormwheel 40s conns=1 rss=2\r\n" +
		"RESULT stormwheel: 1000000 connections, 612 bytes a connection, resident 624951296, empty 12582912, in after 1234 s\r\n"
	if err := os.WriteFile(filepath.Join(dir, emulatedFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := section()
	for _, want := range []string{"million-vm.sh 1000000 14 1500` on 2026-12-01, commit abc: QEMU. Both", "| stormwheel | 1,000,000 | 612 | 596 | 12 | 1,234 |"} {
		if !strings.Contains(got, want) {
			t.Errorf("the section has no %q:\n%s", want, got)
		}
	}
}
