//go:build nonats

package natsbus

import (
	"context"
	"errors"
)

// ErrNoServer is returned by New without Config.Servers in a build with the tag nonats.
var ErrNoServer = errors.New("natsbus: this build has no NATS within (tag nonats): it needs one that is there")

// node is never made.
type node struct{ watcher }

func (b *Bus) embed() error { return ErrNoServer }

func (n *node) routes() int { return 0 }

func (n *node) sends(string) {}

func (n *node) shutdown() {}

func (n *node) nameTaken() <-chan error { return nil }

func (n *node) refused() []Refusal { return nil }

// RouteAddr is where other nodes connect; empty with Servers.
func (b *Bus) RouteAddr() string { return "" }

// SetSecrets changes nothing with Servers.
func (b *Bus) SetSecrets([][]byte) error { return nil }

// Expected is how many other nodes Peers name; 0 with Servers.
func (b *Bus) Expected(context.Context) int { return 0 }

// Missing are the Peers that do not answer; none with Servers.
func (b *Bus) Missing(context.Context) []string { return nil }
