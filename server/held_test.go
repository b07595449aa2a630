package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A handler that blocks is told in the log, by its loop, and is no overload as long as nobody waits.
func TestAHandlerThatHoldsItsLoopIsLogged(t *testing.T) {
	var log lines
	s, err := New(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{srv: s, index: 1}
	s.loops.Store(&[]*loop{{srv: s}, l})
	hold := func(now, since time.Duration) {
		l.asked.Store(int64(since))
		s.watchLoad(now)
	}
	s.watchLoad(time.Second)
	hold(61*time.Second, 2*time.Second)
	if text := log.String(); text != "" {
		t.Fatalf("after the process was stopped: %s", text)
	}
	for at := 62 * time.Second; at < 70*time.Second; at += 500 * time.Millisecond {
		hold(at, 61*time.Second)
	}
	if n := strings.Count(log.String(), "a handler has held an event loop"); n != 1 || strings.Count(log.String(), "loop=1 seconds=3.5") != 1 {
		t.Errorf("%d lines, want one: %s", n, log.String())
	}
	if n := strings.Count(log.String(), "overloaded"); n != 0 {
		t.Errorf("overloaded, and nobody waited: %s", log.String())
	}
	l.waited.Store(int64(time.Second))
	hold(70*time.Second, 61*time.Second)
	if n := strings.Count(log.String(), "overloaded"); n != 1 {
		t.Errorf("somebody waited: %d lines, want one: %s", n, log.String())
	}
}
