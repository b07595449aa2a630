package main

import (
	"context"
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/server"
)

// publisher sends all sessions of the node a message when one is due. One that is late, since the one
// before took long, goes out all the same: none is left out, and each says when it was due.
type publisher struct {
	schedule payload.Schedule
	body     []byte // owned by run
}

// everybody is the group of all sessions: each joins it when it begins.
const everybody = "everybody"

func newPublisher(size int, every time.Duration) *publisher {
	return &publisher{schedule: payload.Schedule(every), body: make([]byte, size)}
}

func (p *publisher) opened(s *server.Session) { _ = s.Join(everybody) } // it is in no other group

// start runs it until stop is called.
func (p *publisher) start(srv *server.Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run(ctx, func(body []byte) error { return srv.Publish(everybody, body) })
	}()
	return func() { cancel(); <-done }
}

func (p *publisher) run(ctx context.Context, publish func(body []byte) error) {
	for n := p.schedule.Number(payload.Monotonic()) + 1; pause(ctx, p.schedule.Due(n)-payload.Monotonic()); n++ {
		payload.Put(p.body, p.schedule.Publication(n))
		for errors.Is(publish(p.body), server.ErrBusy) && pause(ctx, busyPause) {
		}
	}
}

// busyPause is how long loops that have too much under way are left alone.
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
