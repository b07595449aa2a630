package siege

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Ids by which an App knows whom to push to.
const (
	sinkPrefix  = "sink-"
	stallPrefix = "stall-"
)

// App is what a node's application must do for enemies that do not read; beside that it must
// answer every message with the same and acknowledge it, which newcomers of a crowd want. The
// node's handlers call it, with their names of sessions. The zero value is ready; any goroutine may call its methods.
type App[Session comparable] struct {
	mu    sync.Mutex
	sinks map[Session]struct{}
}

// Opened is told of every session, and delivers to it what its id asks for.
func (a *App[Session]) Opened(id string, session Session, deliver func(body []byte)) {
	switch {
	case strings.HasPrefix(id, sinkPrefix):
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.sinks == nil {
			a.sinks = make(map[Session]struct{})
		}
		a.sinks[session] = struct{}{}
	case strings.HasPrefix(id, stallPrefix):
		for range 4 {
			deliver(make([]byte, 60<<10))
		}
	}
}

// Closed is told of every session that has ended.
func (a *App[Session]) Closed(session Session) {
	a.mu.Lock()
	delete(a.sinks, session)
	a.mu.Unlock()
}

// Push delivers to all that never read, until ctx ends. A body that finds no room is not missed.
func (a *App[Session]) Push(ctx context.Context, deliver func(to Session, body []byte)) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	body := make([]byte, 32<<10)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		a.mu.Lock()
		for session := range a.sinks {
			deliver(session, body)
		}
		a.mu.Unlock()
	}
}
