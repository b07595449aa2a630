// Package engine is the seam through which server/servertest puts event loops of its own under
// a node, in place of gnet's on sockets. All above them is the node's own.
package engine

import (
	"context"
	"io"

	"github.com/panjf2000/gnet/v2"
)

// Engine has event loops and a ticker, which call a node's event handler as gnet's do.
type Engine interface {
	// Run calls the handler until Stop.
	Run(handler gnet.EventHandler) error
	// Stop has Run close all connections and return. It may be called more than once.
	Stop(ctx context.Context) error
	// Random is what the node draws its keys and numbers from.
	Random() io.Reader
}

// Start starts node, a *server.Server that was not started, on e. idle says whether nothing
// waits for a turn of a loop; any goroutine may call it. It is set by package server.
var Start func(node any, e Engine) (idle func() bool, err error)
