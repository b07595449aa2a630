//go:build !nonats

package natsbus

import (
	"testing"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/bustest"
)

// open makes a node's bus, which ends with the test.
func open(t *testing.T, cfg Config) *Bus {
	t.Helper()
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// mesh makes buses that find each other by the first's address.
func mesh(t *testing.T, nodes int, each Config) (all []cluster.Bus) {
	t.Helper()
	for i := range nodes {
		each.Node, each.Listen = bustest.Name(i), "127.0.0.1:0"
		b := open(t, each)
		each.Peers = append(each.Peers, b.RouteAddr())
		all = append(all, b)
	}
	return all
}

func TestEmbeddedKeepsTheContract(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T, nodes int) []cluster.Bus { return mesh(t, nodes, Config{}) })
}

func TestEmbeddedWithASecretKeepsTheContract(t *testing.T) {
	t.Parallel()
	each := Config{Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}}
	bustest.Run(t, func(t *testing.T, nodes int) []cluster.Bus { return mesh(t, nodes, each) })
}
