package swarm

import (
	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// toServer is what goes to the socket for frames of a link: themselves, or their
// translation, which is valid until the next call. A link's WELCOME that no server sends
// is put off until its actions are done.
func (l *loop) toServer(a *link.Action) []byte {
	if l.foreign == nil {
		return a.Data
	}
	l.wire = l.wire[:0]
	for b := a.Data; len(b) > 0; {
		f, size, err := codec.Decode(b, len(b))
		if err != nil {
			panic("bench: a link wrote what is no frame: " + err.Error())
		}
		var answered bool
		if l.wire, answered = l.foreign.Outbound(l.wire, f); answered {
			l.after = append(l.after, followUp{kind: welcomed, attempt: a.Attempt})
		}
		b = b[size:]
	}
	return l.wire
}

// translate reads one packet of a foreign server and lets the link have its meaning. A
// mute client has none: all that matters is the end.
func (l *loop) translate(i uint32, c *client, attempt uint32, b []byte) (consumed, need int) {
	if c.flags.has(flagMute) {
		l.answered(c) // of what it asked before it was mute
		return len(b), 1
	}
	l.frame, consumed, need = l.foreign.Inbound(l.frame[:0], b, foreign.Asked{Token: uint64(c.link.Info().Pings), Sent: l.sent(i)})
	if len(l.frame) > 0 {
		c.link.Received(l.now, attempt, l.frame, &l.out)
		l.perform(i, c)
	}
	return consumed, need
}
