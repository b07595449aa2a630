package cluster

import "errors"

// Bus carries bytes between the nodes of a cluster, each of which has one. Any goroutine may use it.
//
// It promises what a TCP connection between each two nodes would: what one node publishes arrives at another at
// most once, and in the order in which it was published, over all subjects. What is lost nobody is told of, and
// what comes later may still arrive. It promises no order between two nodes' messages.
type Bus interface {
	// Publish sends body to the nodes that have subscribed to subject, but not to this one. It does not wait
	// for anybody; body is the caller's again when it returns. Errors: ErrTooBig, ErrBusy (too much waits to
	// leave: nothing was sent) and ErrClosed.
	Publish(subject string, body []byte) error

	// Subscribe has f called for what others publish on subject from now on: one call at a time over all
	// subscriptions of a Bus, so that the order of a sender holds over subjects, too. f must not call
	// Subscribe or Close, and should be quick: what comes meanwhile waits, and what has no room is lost. body
	// is valid until f returns. The error is ErrClosed, or the transport's.
	Subscribe(subject string, f func(body []byte)) error

	// Watch has lost called once when the bus knows that a node, by its name, cannot be reached any more,
	// sooner than its silence would tell; or never, if the bus does not know. It is called on a goroutine of
	// its own, and may still run when stop returns. It is for nodes that have been heard.
	Watch(node string, lost func()) (stop func())

	// Close ends it. What was published before is sent, if that takes no longer than a second. It may be
	// repeated.
	Close() error
}

// Errors of a Bus.
var (
	ErrTooBig = errors.New("cluster: message is larger than the bus takes")
	ErrBusy   = errors.New("cluster: too much waits to leave this node") // nothing was sent; it may be tried again
	ErrClosed = errors.New("cluster: closed")
)
