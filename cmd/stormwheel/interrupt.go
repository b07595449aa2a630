package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/stormwheel/stormwheel/bench/result"
)

// stopper ends a run early: at the first Ctrl-C, SIGTERM or SIGHUP with its result so far,
// at a second Ctrl-C or SIGTERM at once; the kernel then ends the spawned processes. SIGQUIT
// shows what all goroutines do, as in any Go program, but on the normal screen.
type stopper struct {
	context.Context
	stop context.CancelFunc

	mu      sync.Mutex
	cleanUp func() // before an end at once
}

// newStopper listens until release is called.
func newStopper() (s *stopper, release func()) {
	s = &stopper{cleanUp: func() {}}
	s.Context, s.stop = context.WithCancel(context.Background())
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		for sig := range signals {
			if sig == syscall.SIGQUIT {
				s.dump()
			}
			// A terminal that goes away may say so twice: its kernel, and its shell.
			if s.Err() != nil && sig != syscall.SIGHUP {
				s.kill()
			}
			s.stop()
		}
	}()
	return s, func() { signal.Stop(signals); s.stop() }
}

// before has f run before an end at once.
func (s *stopper) before(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanUp = f
}

// dump ends this process as the runtime does at a SIGQUIT of which nobody wants to know.
func (s *stopper) dump() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanUp()
	signal.Reset(syscall.SIGQUIT)
	_ = syscall.Kill(os.Getpid(), syscall.SIGQUIT)
	select {} // the runtime's handler ends it
}

// kill ends this process.
func (s *stopper) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanUp()
	os.Exit(result.ExitInterrupted)
}
