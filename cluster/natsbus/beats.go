//go:build !nonats

package natsbus

import (
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// A node is heard as long as anything comes of it: NATS messages between nodes name their sender as the one to
// reply to. Who has said nothing to all for a while says that. This costs an idle node less than NATS's own pings at
// that pace, which go both ways and have an answer each: what costs is not the bytes, but that a process that does
// nothing else is woken.

const (
	// beatTime is how long a node says nothing to all at most. What it says once a second anyway leaves two beats.
	beatTime = 340 * time.Millisecond
	// silentTime is how long a node is not heard before it is taken for frozen, or cut off.
	silentTime = 900 * time.Millisecond
	// tardyTime is how late this node may be before it is taken to have been asleep, and hears the others anew. One that sleeps
	// longer than silentTime less beatTime, so that others may notice, is always later.
	tardyTime = silentTime - 2*beatTime - 20*time.Millisecond
	// subjectBeat is that of a message with nothing in it.
	subjectBeat = "sw.beat"
	// subjectOne begins those of messages that go to one node.
	subjectOne = "sw.to."
)

// beats are those of this node and of others.
type beats struct {
	node string
	conn *nats.Conn

	mu    sync.Mutex
	said  time.Time            // when something last went to all
	heard map[string]time.Time // by node that is watched; zero: it was not heard yet
}

// sends notes that a message leaves.
func (b *beats) sends(subject string) {
	if strings.HasPrefix(subject, subjectOne) {
		return
	}
	now := time.Now()
	b.mu.Lock()
	b.said = now
	b.mu.Unlock()
}

// hears notes that something has come from a node.
func (b *beats) hears(node string) {
	now := time.Now()
	b.mu.Lock()
	if _, watched := b.heard[node]; watched {
		b.heard[node] = now
	}
	b.mu.Unlock()
}

// beat says that this node lives, unless it has said anything of late, and returns when it is to be called next.
func (b *beats) beat(now time.Time) (next time.Time) {
	b.mu.Lock()
	next = b.said.Add(beatTime)
	due := !now.Before(next)
	if due {
		b.said, next = now, now.Add(beatTime)
	}
	b.mu.Unlock()
	if due {
		_ = b.conn.PublishRequest(subjectBeat, b.node, nil) // without a connection nobody hears it
	}
	return next
}

// silent are the nodes that were heard, and are not now. until is when the next may be. If this node was asleep, all
// that were heard are heard again.
func (b *beats) silent(now time.Time, asleep bool) (nodes []string, until time.Time) {
	until = now.Add(silentTime)
	b.mu.Lock()
	defer b.mu.Unlock()
	for node, at := range b.heard {
		switch end := at.Add(silentTime); {
		case at.IsZero():
		case asleep:
			b.heard[node] = now
		case end.After(now):
			if end.Before(until) {
				until = end
			}
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
		b.heard[node] = time.Time{}
	}
}

func (b *beats) forget(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.heard, node)
}
