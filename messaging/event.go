package messaging

import (
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// EventKind says what an Event tells.
type EventKind uint8

// The kinds of events. Of one message the last four come in this order: undelivered, then at most one
// of the others.
const (
	EventOnline      EventKind = iota + 1 // a device came whose watchers believed it offline
	EventOffline                          // a device's grace is over, see presence
	EventUndelivered                      // a message is in the Store's queue: no device has acknowledged it so far
	EventDelivered                        // a device has a message of the queue in its application
	EventRefused                          // a device's application has refused a message of the queue
	EventExpired                          // a message of the queue has outlived itself; told when the hub drops it, at the latest when its user comes
)

var eventNames = [...]string{"none", "online", "offline", "undelivered", "delivered", "refused", "expired"}

// String names the kind.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "unknown"
}

// Event is what happened to a user's device or queue, as this node sees it. A node that is killed tells
// nothing; what its store has is told by the node that is started with it. What a device takes at once is no
// event: its sender is told, or the caller of Push.
type Event struct {
	Kind    EventKind
	At      time.Time
	User    string // whose device, or whose queue
	Devices int    // Online and Offline: that are believed online now; else: the user's sessions now

	Device string // its client id; of Online, Offline and Delivered
	Stamp  uint64 // of its login; of one device the greater is the later. Of Online and Offline

	ID      ID        // of the message, as all below
	From    string    // the user who sent it; empty: the node itself did
	Taken   time.Time // when a node took it
	Durable bool      // of Undelivered: the queue outlives the process
	Content []byte    // of Undelivered; valid until the function returns
	Err     *Refusal  // of Refused
}

// tellEvent calls the embedder's function. With the shard's lock held: the order is the user's.
func (u *user) tellEvent(e Event) {
	h := u.sh.h
	if h.cfg.Events == nil {
		return
	}
	e.At, e.User = h.wall(), u.name
	defer func() {
		if p := recover(); p != nil {
			h.cfg.Logger.Error("the function that is told events panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	h.cfg.Events(e)
}

// tellMessage tells what happened to a message that the store has, or had. With the lock held, and before
// the entry loses its body.
func (u *user) tellMessage(kind EventKind, e *entry, device string, why *Refusal) {
	if u.sh.h.cfg.Events == nil {
		return
	}
	m, err := envelope.Parse(e.body)
	if err != nil || m.Kind != envelope.Message {
		return // a receipt
	}
	event := Event{Kind: kind, Devices: u.sessions(), Device: device, From: string(m.User), Taken: m.Taken, Err: why,
		ID: ID{Sender: string(m.ID.Sender), Incarnation: m.ID.Incarnation, Number: m.ID.Number}}
	if kind == EventUndelivered {
		event.Content, event.Durable = m.Content, u.sh.h.cfg.Store.Durable()
	}
	u.tellEvent(event)
}

// eventOf is what is told of a message of the queue that came to an end.
func eventOf(r Result) EventKind {
	switch r {
	case Refused:
		return EventRefused
	case Expired:
		return EventExpired
	}
	return EventDelivered
}
