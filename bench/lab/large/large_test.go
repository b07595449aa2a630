package large

import (
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

func TestLoopsDoubleAndWhatCouldNotRunIsSaid(t *testing.T) {
	k := kit.New(kit.Place{}, Section, kit.Effort{Name: "full", Size: 1_000_000_000}, "go run . run large")
	var loops []int
	for _, s := range stepsFor(k, 8) {
		if s.Workload != "loops" {
			t.Errorf("a step for what cannot be: %v", s)
		}
		if s.Subject == peers.Ours && s.Round == 1 {
			loops = append(loops, int(s.Rate/loopRate))
		}
	}
	if want := []int{1, 2, 4, 8}; !slices.Equal(loops, want) {
		t.Errorf("a round of eight processors has loops of %v, want %v", loops, want)
	}

	for _, s := range stepsFor(k, 2) {
		k.Add(s, map[string]float64{"cpu_us": map[string]float64{peers.Ours: 15, peers.Floor: 10}[s.Subject]})
	}
	p, err := kit.PageOf(Section, k)
	if err != nil {
		t.Fatal(err)
	}
	text := p.String()
	for _, want := range []string{
		"Not run: 1,000,000,000 connections in one process: ",
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
