package cluster

import (
	"sync"

	"github.com/stormwheel/stormwheel/internal/peer"
)

// The subjects.
const (
	subjectNodes = "sw.n"
	subjectAll   = "sw.all"
	subjectTo    = "sw.to."
)

// MaxBody is the most bytes of a message between hubs: 1,048,448 (1 MiB less 128 for what stands before it).
const MaxBody = peer.MaxBody

// buffers are those in which messages get their heads.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer bounds those that are kept.
const maxBuffer = 64 << 10

// Send sends body, which it copies, to the hub of another live node: at most once, in the order in which one goroutine
// sends, and behind the logins that it claimed before. Errors: ErrUnknownNode (it is not live, or is this one),
// ErrTooBig, ErrBusy and ErrClosed.
func (n *Node) Send(node string, body []byte) error {
	subject, ok := n.members.Load().subjects[node]
	switch {
	case !ok:
		return ErrUnknownNode
	case len(body) > MaxBody:
		return ErrTooBig
	case n.quiet.Load():
		return n.past(peer.To, subject, body)
	}
	var sent bool
	err := n.local(func(now peer.Now, out *peer.Out) { sent = n.machine.Send(now, node, body, out) })
	if !sent {
		return ErrUnknownNode // it has gone meanwhile
	}
	return err
}

// SendAll is Send to the hubs of all other live nodes.
func (n *Node) SendAll(body []byte) error {
	switch {
	case len(body) > MaxBody:
		return ErrTooBig
	case len(n.members.Load().subjects) == 0:
		return nil
	case n.quiet.Load():
		return n.past(peer.All, subjectAll, body)
	}
	return n.local(func(now peer.Now, out *peer.Out) { n.machine.SendAll(now, body, out) })
}

// past sends a message of the hub without the machine, behind which nothing waits.
func (n *Node) past(to peer.Subject, subject string, body []byte) error {
	buffer := buffers.Get().(*[]byte)
	*buffer = n.machine.AppendMessage((*buffer)[:0], to, body)
	err := n.cfg.Bus.Publish(subject, *buffer)
	if cap(*buffer) <= maxBuffer {
		buffers.Put(buffer)
	}
	if err != nil {
		n.unsent.Add(1)
	}
	return err
}
