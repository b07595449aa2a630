package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/server"
)

// publisher sends all sessions of the node a message when one is due. One that is late, since the one
// before took long, goes out all the same: none is left out, and each says when it was due.
type publisher struct {
	schedule payload.Schedule
	body     []byte // owned by run

	mu       sync.Mutex
	sessions []server.Ref
	place    map[server.Ref]int // of each in sessions
}

func newPublisher(size int, every time.Duration) *publisher {
	return &publisher{schedule: payload.Schedule(every), body: make([]byte, size), place: map[server.Ref]int{}}
}

func (p *publisher) opened(s *server.Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.place[s.Ref()] = len(p.sessions)
	p.sessions = append(p.sessions, s.Ref())
}

func (p *publisher) closed(s *server.Session, _ server.Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, last := p.place[s.Ref()], len(p.sessions)-1
	p.sessions[i] = p.sessions[last]
	p.place[p.sessions[i]] = i
	p.sessions = p.sessions[:last]
	delete(p.place, s.Ref())
}

// start runs it until stop is called.
func (p *publisher) start(srv *server.Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run(ctx, srv.Deliver)
	}()
	return func() { cancel(); <-done }
}

func (p *publisher) run(ctx context.Context, deliver func(server.Ref, []byte) error) {
	var to []server.Ref
	for n := p.schedule.Number(payload.Monotonic()) + 1; pause(ctx, p.schedule.Due(n)-payload.Monotonic()); n++ {
		payload.Put(p.body, p.schedule.Publication(n))
		p.mu.Lock()
		to = append(to[:0], p.sessions...)
		p.mu.Unlock()
		for _, session := range to {
			for errors.Is(deliver(session, p.body), server.ErrBusy) && pause(ctx, busyPause) {
			}
		}
	}
}

// busyPause is how long a full mailbox is left alone.
const busyPause = time.Millisecond

// pause reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
