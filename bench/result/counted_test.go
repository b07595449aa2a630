package result

import (
	"maps"
	"slices"
	"testing"
)

func TestASecondSaysWhatItsColumnsDoNot(t *testing.T) {
	before := &Result{Connect: Connect{Attempts: 5, Failures: Failures{Refused: 2}}, Heartbeat: Heartbeat{Sent: 10}}
	now := &Result{Connect: Connect{Attempts: 9, Failures: Failures{Refused: 2, Busy: 3}}, Heartbeat: Heartbeat{Sent: 14}, Messages: &Messages{Lost: 4}}
	s := Second{Attempts: 4, Pings: 5} // one of the PINGs was withdrawn
	s.SetCounts(now, before)
	if want := map[string]int{"connect.failures.busy": 3, "heartbeat.sent": 4, "messages.lost": 4}; !maps.Equal(s.Counts, want) {
		t.Errorf("counts %v, want %v", s.Counts, want)
	}
	for path, want := range map[string]int{"connect.attempts": 4, "heartbeat.sent": 4, "connect.failures.busy": 3, "connect.failures.refused": 0, "conns.lost": 0} {
		if n, told := s.count(path); n != want || !told {
			t.Errorf("%s: %d, %v; want %d", path, n, told, want)
		}
	}
}

func TestCountsOfTheSameSecondAddUp(t *testing.T) {
	a := Second{Pings: 5, Attempts: 1, Counts: map[string]int{"heartbeat.sent": 4, "messages.lost": 1}}
	b := Second{Pings: 7, Attempts: 2, Counts: map[string]int{"messages.lost": 2, "conns.losses.reset": 1}}
	a.AddCounts(&b)
	if want := map[string]int{"heartbeat.sent": 11, "messages.lost": 3, "conns.losses.reset": 1}; !maps.Equal(a.Counts, want) {
		t.Errorf("counts %v, want %v", a.Counts, want)
	}
	older := Second{Pings: 7}
	if a.AddCounts(&older); a.Counts != nil {
		t.Errorf("with a part that does not tell: %v, want null", a.Counts)
	}
	if _, told := a.count("messages.lost"); told {
		t.Error("a count is made up for a second that does not tell")
	}
	if n, told := a.count("connect.attempts"); n != 1 || !told {
		t.Errorf("a column says %d, %v", n, told)
	}
}

// The paths follow from the types, so that no count is forgotten.
func TestTheCountsOfSeconds(t *testing.T) {
	for _, path := range []string{"conns.lost", "conns.losses.silence", "connect.attempts", "connect.failures.tls", "heartbeat.missed", "messages.doubled", "messages.confirmed", "eviction.early"} {
		if !slices.Contains(countPaths, path) {
			t.Errorf("%s is not counted", path)
		}
	}
	for _, path := range []string{"conns.peak", "conns.end", "conns.target", "heartbeat.pending", "conns.losses.cut"} {
		if slices.Contains(countPaths, path) {
			t.Errorf("%s is counted, and does not only grow", path)
		}
	}
	for path := range columns {
		if !slices.Contains(countPaths, path) {
			t.Errorf("%s has a column, and is not counted", path)
		}
	}
}
