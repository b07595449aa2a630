package proc

import (
	"testing"
	"time"
)

func TestWhatTheProcessorsDid(t *testing.T) {
	p := parseProcessors([]byte("cpu  100 20 300 4000 50 6 7 800 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n"))
	if want := (Processors{Busy: 4330 * time.Millisecond, Stolen: 8 * time.Second}); p != want || !p.Known() {
		t.Errorf("%+v, want %+v", p, want)
	}
	if p := parseProcessors([]byte("cpu 1 2 3\n")); p.Known() {
		t.Errorf("of a line that is too short: %+v", p)
	}
	later := Processors{Busy: 5 * time.Second, Stolen: 7 * time.Second}
	if got := later.Since(p); got.Stolen != 0 || got.Busy != 670*time.Millisecond {
		t.Errorf("since: %+v; a count that fell, as after a migration, is none", got)
	}
}
