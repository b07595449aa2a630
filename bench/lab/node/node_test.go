package node

import (
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

func TestKindsTakeTurnsThereAndBack(t *testing.T) {
	k := kit.New(kit.Place{}, Section, kit.Effort{Name: "short", Rounds: 3, Subjects: []string{"stormwheel", "gnet", "nbio"}}, "")
	var got []string
	for _, s := range steps(k) {
		if s.Workload == "beat" && s.Rate == 30_000 {
			got = append(got, s.Subject)
		}
	}
	want := []string{"stormwheel", "gnet", "nbio", "nbio", "gnet", "stormwheel", "stormwheel", "gnet", "nbio"}
	if !slices.Equal(got, want) {
		t.Errorf("turns at full load: %v, want %v", got, want)
	}
}

func TestTheReportTellsWhatIsMissedLostAndFailed(t *testing.T) {
	// Nine rounds in which we need half as much CPU again as bare gnet, and Netty failed.
	k := kit.New(kit.Place{}, Section, kit.Effort{Name: "short"}, "make test")
	k.Where = "here"
	k.Note("absent", "gev: no")
	top := effortOf(k).top()
	for round := range 9 {
		for kind, cpu := range map[string]float64{"stormwheel": 15, "gnet": 10, "nbio": 20} {
			s := top.Of(kind)
			s.Round = round
			k.Add(s, map[string]float64{"cpu_us": cpu + float64(round)/100, "user_us": 1, "system_us": 9, "rtt_p99": 2})
		}
		s := top.Of("netty")
		s.Round = round
		k.Records = append(k.Records, &kit.Record{Step: s, Problem: "no answer"})
	}
	p, err := kit.PageOf(Section, k)
	if err != nil {
		t.Fatal(err)
	}
	text := p.String()
	for _, want := range []string{
		"make test", "here", "This was a short run", "Left out: gev: no.",
		"| CPU of a heartbeat at full load, of bare gnet's | at most 1.05x | 1.50x | 9 | **missed** by 0.45x |",
		"| CPU of a heartbeat, of nbio's | at most 0.90x | 0.75x | 9 | reached |",
		"| memory of an idle connection, of bare gnet's | at most 1.25x | - | 0 | not measured |",
		"- CPU of a heartbeat at full load, ours 15.0: bare gnet v2.10.0 10.0",
		"| Netty | failed: no answer |",
		"| nbio v1.6.8 | 20.0 [20 - 20.1] | 2.00x | 0.75x |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}
