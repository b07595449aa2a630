// Package interop holds the tests in which other programs are at the other end of a WebSocket or
// before the node: libraries of Go in both directions, and nginx, haproxy, Node and Python where they
// are installed; else those tests are skipped and say why. It has no code of its own.
package interop
