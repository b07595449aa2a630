//go:build !nonats

package natsbus

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/stormwheel/stormwheel/internal/pulse"
)

// A node is heard as long as anything comes of it. Who has said nothing to all for a while says a beat, which is a NATS message
// with nothing in it. A beat ends in the server of who hears it, which counts it for the connection that it came by: the
// server is looked at with each pulse. To have it handed on to the node would wake six goroutines for nothing, and what
// an idle node costs is that it is woken.

const (
	// beatTime is how long a node says nothing to all at most. What it says once a second anyway leaves two beats.
	beatTime = 2 * pulse.Time
	// silentTime is how long after it was seen to be heard a node is taken for frozen, or cut off. It may have been heard
	// a pulse before it was seen.
	silentTime = 740 * time.Millisecond
	// tardyTime is how late this node may be before it is taken to have been asleep, and hears the others anew. One that sleeps
	// longer than silentTime less beatTime, so that others may notice, is always later.
	tardyTime = silentTime - beatTime - pulse.Time - 20*time.Millisecond
	// subjectBeat is that of a beat; a node subscribes to subjectBeats, so that the others' servers send it, and may not
	// have it, so that its own keeps it.
	subjectBeat, subjectBeats = "sw.beat.x", "sw.beat.*"
	// subjectOne begins those of messages that go to one node.
	subjectOne = "sw.to."
)

// beats are those of this node and of others.
type beats struct {
	conn   *nats.Conn
	origin time.Time    // of the pulse
	spoke  atomic.Int64 // when something went to all first since beat was called, since origin; 0: nothing has

	// The follower's.
	said time.Duration    // when something went to all, as far as it knows; since origin, as all times here
	came map[uint64]int64 // NATS messages that came by a connection, by its number

	mu    sync.Mutex
	heard map[string]time.Duration // by node that is watched; 0: it was not heard yet
}

func newBeats() *beats {
	return &beats{origin: pulse.Origin(time.Now()), came: make(map[uint64]int64), heard: make(map[string]time.Duration)}
}

// now is the time since origin. It is not 0.
func (b *beats) now() time.Duration { return max(time.Since(b.origin), 1) }

// sends notes that a message leaves.
func (b *beats) sends(subject string) {
	if b.spoke.Load() == 0 && !strings.HasPrefix(subject, subjectOne) {
		b.spoke.Store(int64(b.now()))
	}
}

// beat says that this node lives, unless it has said anything of late. It is called with each pulse.
func (b *beats) beat(now time.Duration) {
	if at := b.spoke.Swap(0); at != 0 {
		b.said = time.Duration(at)
	}
	if now < b.said+beatTime-pulse.Time/2 { // pulses are not to the ms
		return
	}
	b.said = now
	_ = b.conn.Publish(subjectBeat, nil) // without a connection nobody hears it
}

// look notes which nodes were heard since it was called last, by what has come of them.
func (b *beats) look(now time.Duration, routes []*server.RouteInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range routes {
		was, known := b.came[r.Rid]
		if known && was == r.InMsgs {
			continue
		}
		b.came[r.Rid] = r.InMsgs
		if _, watched := b.heard[r.RemoteName]; watched {
			b.heard[r.RemoteName] = now
		}
	}
	if len(b.came) > len(routes) { // some have ended
		clear(b.came)
		for _, r := range routes {
			b.came[r.Rid] = r.InMsgs
		}
	}
}

// silent are the nodes that were heard, and are not now. until is when the next may be. If this node was asleep, all
// that were heard are heard again.
func (b *beats) silent(now time.Duration, asleep bool) (nodes []string, until time.Duration) {
	until = now + silentTime
	b.mu.Lock()
	defer b.mu.Unlock()
	for node, at := range b.heard {
		switch end := at + silentTime; {
		case at == 0:
		case asleep:
			b.heard[node] = now
		case end > now:
			until = min(until, end)
		default:
			nodes = append(nodes, node)
		}
	}
	return nodes, until
}

// watch has a node be listened to; forget not.
func (b *beats) watch(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, watched := b.heard[node]; !watched {
		b.heard[node] = 0
	}
}

func (b *beats) forget(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.heard, node)
}
