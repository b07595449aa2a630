package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestKindsTakeTurnsThereAndBack(t *testing.T) {
	e := effort{Name: "test", Beat: 2, Pairs: 3, PairKinds: []string{"stormwheel", "gnet"}, BeatConns: 10, Rates: []int{5, 9}}
	var got []string
	for _, s := range e.steps([]string{"stormwheel", "gnet", "nbio"}) {
		if s.Workload == "beat" && s.Rate == 9 {
			got = append(got, s.Kind)
		}
	}
	want := []string{"stormwheel", "gnet", "nbio", "nbio", "gnet", "stormwheel", "stormwheel", "gnet"}
	if !slices.Equal(got, want) {
		t.Errorf("turns at full load: %v, want %v", got, want)
	}
}

// madeUp are results of nine rounds in which we need half as much CPU again as bare gnet,
// and Netty failed.
func madeUp() *results {
	e := effort{Name: "short", Idle: 1, Conns: 100, BeatConns: 10, Rates: []int{9}, Counts: []int{100}, Silent: 5, StormConns: 5}
	r := &results{Schema: schema, Command: "make test", Where: "here", Effort: e, Absent: []string{"gev: no"}}
	for round := range 9 {
		for kind, cpu := range map[string]float64{"stormwheel": 15, "gnet": 10, "nbio": 20} {
			s := e.top().by(kind)
			s.Round = round
			r.Records = append(r.Records, record{step: s, Figures: figures{"cpu_us": cpu + float64(round)/100, "user_us": 1, "system_us": 9, "rtt_p99": 2}})
		}
		s := e.top().by("netty")
		s.Round = round
		r.Records = append(r.Records, record{step: s, Problem: "no answer"})
	}
	return r
}

func TestTheReportTellsWhatIsMissedLostAndFailed(t *testing.T) {
	text := madeUp().section()
	for _, want := range []string{
		"make test", "here", "This was a short run", "Left out: gev: no.",
		"| CPU of a heartbeat at full load, of bare gnet's | 1.05x | 1.50x | 1.50 - 1.50 | 9 | **missed** |",
		"| CPU of a heartbeat, of nbio's | 0.90x | 0.75x | 0.75 - 0.75 | 9 | reached |",
		"| memory of an idle connection, of bare gnet's | 1.25x | - | - | 0 | not measured |",
		"- CPU of a heartbeat at full load, ours 15.0: bare gnet v2.10.0 10.0",
		"| Netty | failed: no answer |",
		"| nbio v1.6.8 | 20.0 (20.0 - 20.1) | 2.00x | 0.75x |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func TestResultsComeBackFromTheirFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out", "peers.json")
	r := madeUp()
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	again, err := readResults(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.section() != again.section() {
		t.Error("the report of the kept results is another one")
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.123: "0.12", 1.5: "1.50", 2: "2", 12.34: "12.3", 1234.5: "1,235", -896: "-896"} {
		if got := number(v); got != want {
			t.Errorf("number(%g) = %q, want %q", v, got, want)
		}
	}
}

func TestOfALargerMachineLoopsDoubleAndWhatCouldNotRunIsSaid(t *testing.T) {
	e := effort{Name: "large", Scale: 2, Counts: []int{1_000_000}}
	var loops []int
	for _, s := range e.largeSteps(8) {
		if s.Workload == "loops" && s.Kind == ours && s.Round == 1 {
			loops = append(loops, s.Rate/loopRate)
		}
	}
	if want := []int{1, 2, 4, 8}; !slices.Equal(loops, want) {
		t.Errorf("a round of eight processors has loops of %v, want %v", loops, want)
	}

	r := &results{Schema: schema, Command: "peers large", Effort: e, Skipped: []string{"1,000,000 connections in one process: too many"}}
	for _, s := range e.largeSteps(2) {
		if s.Workload == "loops" {
			cpu := map[string]float64{ours: 15, floorKind: 10}[s.Kind]
			r.Records = append(r.Records, record{step: s, Figures: figures{"cpu_us": cpu}})
		}
	}
	text := r.largeSection()
	for _, want := range []string{
		"Not run: 1,000,000 connections in one process: too many.",
		"**Loops: 1**", "**Loops: 2**", "1.50x",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the section lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "**Loops: 4**") || strings.Contains(text, "NaN") {
		t.Errorf("the section tells of what was not measured:\n%s", text)
	}
}
