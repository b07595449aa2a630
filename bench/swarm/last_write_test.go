package swarm

import (
	"testing"
	"time"
)

const msec = time.Millisecond

// sent is a frame written from start to end under a timeout of one second.
func sent(start, end time.Duration, overdue bool) lastWrite {
	var w lastWrite
	if overdue {
		w.wrote(start-time.Second, start-time.Second, time.Second, 0)
	}
	w.wrote(start, end, time.Second, 0)
	return w
}

func TestJudgeClose(t *testing.T) {
	for _, tt := range []struct {
		name     string
		w        lastWrite
		mute     bool
		seen     time.Duration
		want     judgement
		lateness time.Duration
	}{
		{"mute, exactly at the timeout", sent(100*msec, 100*msec, false), true, 1100 * msec, evictedOnTime, 0},
		{"mute, two ticks late", sent(100*msec, 100*msec, false), true, 1300 * msec, evictedOnTime, 200 * msec},
		{"mute, a microsecond early", sent(100*msec, 100*msec, false), true, 1100*msec - time.Microsecond, evictedEarly, -time.Microsecond},
		{"mute, early only if the write counts from its end", sent(100*msec, 150*msec, false), true, 1120 * msec, evictedOnTime, 20 * msec},
		{"living, frame was there in time", sent(100*msec, 101*msec, false), false, 600 * msec, evictedFalsely, -500 * msec},
		{"living, but silent for a timeout", sent(100*msec, 101*msec, false), false, 1101 * msec, generatorFault, 1 * msec},
		{"living, a microsecond before it had been silent for a timeout", sent(100*msec, 101*msec, false), false, 1100*msec - time.Microsecond, evictedFalsely, -time.Microsecond},
		{"living, a write that took so long that nobody can tell", sent(100*msec, 150*msec, false), false, 1120 * msec, generatorFault, 20 * msec},
		{"living, the frame came when all was over", sent(2000*msec, 2000*msec, true), false, 2001 * msec, generatorFault, -999 * msec},
	} {
		got, lateness := judgeClose(tt.w, tt.mute, tt.seen)
		if got != tt.want || lateness != tt.lateness {
			t.Errorf("%s: judgeClose(%+v, %v, %v) = %v, %v, want %v, %v", tt.name, tt.w, tt.mute, tt.seen, got, lateness, tt.want, tt.lateness)
		}
	}
}

func TestLastWriteOfAConnectionIsNeverOverdue(t *testing.T) {
	var w lastWrite // HELLO, before any terms
	w.wrote(time.Hour, time.Hour, 0, 0)
	if w.overdue {
		t.Error("the first frame of a connection is overdue")
	}
	w.setTimeout(time.Second)
	if w.timeout() != time.Second {
		t.Errorf("timeout() = %v after WELCOME, want 1s", w.timeout())
	}
	w.wrote(time.Hour+999*msec, time.Hour+999*msec, time.Second, 0)
	if w.overdue {
		t.Error("a frame 999 ms after the one before is overdue at a timeout of 1 s")
	}
	w.wrote(time.Hour+1999*msec, time.Hour+1999*msec, time.Second, 0)
	if !w.overdue {
		t.Error("a frame 1 s after the one before is not overdue at a timeout of 1 s")
	}
}

// A longer timeout holds as soon as it is told, a shorter one from the next frame on.
func TestLastWriteIsJudgedByTheLooserTerms(t *testing.T) {
	s := time.Second
	for _, c := range []struct{ was, told, want time.Duration }{
		{5 * s, 40 * s, 40 * s}, {40 * s, 5 * s, 40 * s}, {5 * s, 0, 0}, {0, 5 * s, 0},
	} {
		var w lastWrite
		w.wrote(s, s, c.was, 0)
		w.loosen(c.told)
		if w.timeout() != c.want || w.start != s {
			t.Errorf("%v, then %v: %+v, want %v", c.was, c.told, w, c.want)
		}
	}
}
