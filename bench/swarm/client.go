package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
)

// client is one simulated client, some 490 bytes in a slab of its loop's. Its bytes in
// flight, of which most have none at most times, are in the loop's maps.
type client struct {
	link    link.Link // zero until its arrival
	socket            // of the session or of the attempt to get one; a second one is in loop.second
	outage  outage
	lost    time.Duration // while it is without a session that it had: since when; else 0
	asked   asked
	arrival time.Duration // when it was to connect
	began   time.Duration // just before its first connect(); 0: not yet
	wake    time.Duration // when the wheel will call; until the first call, the arrival
	due     time.Duration // when it next wants something done, as of its latest change
	known   time.Duration // when that changed
	tenant  uint16        // how many have left before it
	flags   clientFlags
}

// socket is one connection, from connect() to close. What was written last is kept after
// that, for whoever judges the close.
type socket struct {
	last       lastWrite
	fd         int32
	attempt    uint32 // of the link; 0: there is no connection
	connecting bool
	bare       bool // its stage has nothing more to do
}

// connKey names a connection in the loop's maps of bytes in flight.
type connKey struct{ client, attempt uint32 }

type clientFlags uint16

const (
	flagStarted  clientFlags = 1 << iota
	flagMute                 // keeps its socket, reads, and says nothing any more
	flagWelcomed             // has been, since its arrival
	flagNext                 // arrived for one that left
	flagProbe                // is left alone, and measured apart
	flagHalfOpen             // connects, and says nothing
	flagTrickle              // sends some frames byte by byte
	flagAsked                // waits for a PONG
	flagDeaf                 // reads messages, and does not acknowledge them
)

func (f clientFlags) has(flag clientFlags) bool { return f&flag != 0 }

func (c *client) ready() bool { return c.link.State() == link.StateReady }
