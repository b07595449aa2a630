package messaging

import (
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/server"
)

// Peers is the rest of a cluster, as a Hub sees it: a *cluster.Node is one. No method blocks, or calls the
// cluster.Handler before it returns: the hub calls them with its locks held, and its functions of that handler
// take those locks.
type Peers interface {
	// Node is this node's name.
	Node() string
	// Live returns the names of the live nodes, this one included, in ascending order.
	Live() []string
	// Home is the live node that keeps key: the same wherever the same nodes are seen, and the first of them in an
	// order that is the key's. So no node takes itself for the home while it sees the one that is.
	Home(key string) string

	// Stamp returns one for a login that Opened is told of in a moment: greater than all that this node has given or
	// heard, and than after. Opened tells all nodes of a login here, and returns its stamp: l.Stamp, or if that is 0
	// one as of Stamp. Closed takes it back.
	Stamp(after uint64) uint64
	Opened(l cluster.Login, ref server.Ref) (stamp uint64)
	Closed(id string, stamp uint64)

	// Follow has the handler be told of a user's sessions elsewhere, of whom it may not be otherwise; true: his home
	// was asked, and Handler.Known may tell its answer. Unfollow ends that.
	Follow(user string) (asked bool)
	Unfollow(user string)

	// Send sends body, which it copies, to another node's hub, at most once and in order. cluster.ErrUnknownNode:
	// it is not live; cluster.ErrTooBig: it can never be sent; with other errors it was lost. SendAll sends to all
	// other live nodes, in the same order.
	Send(node string, body []byte) error
	SendAll(body []byte) error

	// Start has h be told of the other nodes. The Hub calls it once, before the server starts.
	Start(srv *server.Server, h cluster.Handler) error
}
