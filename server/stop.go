package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Run starts the node, waits until ctx ends or the engine does, and stops it. It returns nil if ctx has ended,
// or somebody has called Stop. Stopping takes 5 s at most for the clients to leave, and as long again for the
// engine to end. Where a handler does not return it takes 16 s, and the error says that the loops have not ended.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Start(); err != nil {
		return err
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		return s.Stop(stop)
	}
}

// ListenAndServe runs a node of cfg until it fails: New and Run in one, for programs that have nothing else to ask of it.
// Here a nil Logger means slog.Default. The error is New's or Run's.
func ListenAndServe(cfg Config) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s, err := New(cfg)
	if err != nil {
		return err
	}
	return s.Run(context.Background())
}

const stopTime = 5 * time.Second

// awaitStart waits for a Start that is under way. Without one, or after its failure, there
// is nothing to stop; one that comes later is refused, or whoever stops a node while another
// goroutine starts it would leave it running.
func (s *Server) awaitStart() (running bool, err error) {
	s.mu.Lock()
	if !s.started.Load() {
		s.barred = true
		s.started.Store(true)
		close(s.done)
	}
	s.mu.Unlock()
	select {
	case <-s.ready:
		return true, nil
	case <-s.done:
		return false, s.err
	}
}

// Stop refuses new clients, sends GOAWAY "shutdown" to the present ones with the window
// over which to return, waits until they have left or ctx ends, and ends the engine. It
// may be called more than once, and by several goroutines at a time. A ctx that has ended
// already means at once: even then every client is told, which takes 5 s at most, and has half
// a second to read it. Before Start there is nothing to stop, and Start then returns ErrStopped.
//
// A handler that does not return keeps its loop, and nothing can end it: Stop gives up with an error, some
// 10 s after ctx has ended, and Wait goes on to wait.
func (s *Server) Stop(ctx context.Context) error {
	if running, err := s.awaitStart(); !running {
		return err
	}
	s.node.Stopping.Store(true)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for s.open() > 0 && ctx.Err() == nil {
		select {
		case <-s.done:
			return s.err
		case <-ctx.Done():
		case <-poll.C:
			s.askAll()
		}
	}
	if s.lastWords(poll.C) {
		return s.err
	}
	hard, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	for _, l := range s.lastLoops() {
		select {
		case <-l.rest.settled: // or gnet would wait for ever for the loop to take it
		case <-s.done:
		case <-hard.Done():
		}
	}
	s.closeUnix(hard)
	// It looks every 500 ms only whether the loops have ended, as done says at once.
	go s.halting.Do(func() { _ = s.engine.Stop(hard) })
	select {
	case <-s.done:
		return s.err
	case <-hard.Done():
		return fmt.Errorf("server: the event loops have not ended: %w", hard.Err())
	}
}

// closeUnix ends the unix sockets, or gnet would end loops to which a connection is on its way.
func (s *Server) closeUnix(ctx context.Context) {
	if s.unix == nil {
		return
	}
	closed := make(chan struct{})
	go func() { s.unix.close(); close(closed) }()
	select {
	case <-closed:
	case <-s.done:
	case <-ctx.Done():
	}
}

// lastLoops are all loops that still watch a socket of their own. One that is being made is among
// them, or knows that the node stops.
func (s *Server) lastLoops() []*loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.loops.Load()
}

// readTime is how long a client that was told at the very end has to read it.
const readTime = 500 * time.Millisecond

// lastWords waits until every loop has told its clients to go, with most of its time, and
// until they have had a moment to read it. It reports whether the node has ended meanwhile.
func (s *Server) lastWords(poll <-chan time.Time) (ended bool) {
	s.node.Hurry.Store(true)
	for until := s.now() + stopTime; !s.allTold() && s.now() < until; {
		select {
		case <-s.done:
			return true
		case <-poll:
			s.askAll()
		}
	}
	for until := s.now() + readTime; s.open() > 0 && s.now() < until; {
		select {
		case <-s.done:
			return true
		case <-poll:
		}
	}
	return false
}

func (s *Server) allTold() bool {
	for _, l := range *s.loops.Load() {
		if !l.told.Load() {
			return false
		}
	}
	return true
}

func (s *Server) open() int64 {
	return s.node.Conns.Open() + s.node.Conns.Lingering()
}
