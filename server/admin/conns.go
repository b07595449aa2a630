package admin

import (
	"cmp"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// MaxConns bounds the connections of a server of NewServer, unless Config.MaxConns does: descriptors that
// it takes are lost to clients.
const MaxConns = 8

// busyTime is how long a request may take before its connection makes room for another. The
// answers take milliseconds; who sends or reads so slowly is as good as idle.
const busyTime = time.Second

// conns are the connections of the admin listener. When there are too many, one that
// nothing happens on goes: pools of monitors keep theirs open for long, and a probe that is
// refused has its node killed. The zero value is ready.
type conns struct {
	most   int        // 0: MaxConns
	mu     sync.Mutex // guards open
	open   map[net.Conn]connState
	closed atomic.Uint64 // those that were closed for the bound
}

// connState is what net/http last said of a connection.
type connState struct {
	busy  bool // with a request
	since time.Time
}

// changed is told of every connection's state by net/http.
func (c *conns) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if state == http.StateNew {
		if c.open == nil {
			c.open = map[net.Conn]connState{}
		}
		if len(c.open) >= cmp.Or(c.most, MaxConns) && !c.makeRoom(now) {
			c.closed.Add(1)
			_ = conn.Close() // its goroutine then sees the end
			return
		}
		c.open[conn] = connState{since: now}
		return
	}
	if _, ours := c.open[conn]; !ours {
		return // it had to go
	}
	switch state {
	case http.StateActive, http.StateIdle:
		c.open[conn] = connState{busy: state == http.StateActive, since: now}
	default:
		delete(c.open, conn)
	}
}

// makeRoom closes the connection that has been idle, or silent, for longest, or else the one
// that has been busy for longest, and reports whether there was one. c.mu is held.
func (c *conns) makeRoom(now time.Time) bool {
	var worst net.Conn
	for conn, is := range c.open {
		if is.busy && now.Sub(is.since) < busyTime {
			continue
		}
		if than := c.open[worst]; worst == nil || is.busy == than.busy && is.since.Before(than.since) || !is.busy && than.busy {
			worst = conn
		}
	}
	if worst == nil {
		return false
	}
	delete(c.open, worst)
	c.closed.Add(1)
	_ = worst.Close()
	return true
}
