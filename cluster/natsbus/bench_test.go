//go:build !nonats

package natsbus

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/server"
)

// driver is a node with a bus of its own, which is told of messages.
func driver(b *testing.B, name string, peers []string, message func(node string, body []byte)) (*cluster.Node, *Bus) {
	b.Helper()
	bus, err := New(Config{Node: name, Listen: "127.0.0.1:0", Peers: peers, Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = bus.Close() })
	n, err := cluster.New(cluster.Config{Node: name, Bus: bus})
	if err != nil {
		b.Fatal(err)
	}
	srv, err := server.New(server.Config{Node: name})
	if err != nil {
		b.Fatal(err)
	}
	if err := n.Start(srv, cluster.Handler{Message: message}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(n.Close)
	return n, bus
}

// One-way messages from one node to another, both and their NATS in this process, encrypted: what is sent is what has come.
func BenchmarkOneWay(b *testing.B) {
	for _, size := range []int{128, 1024} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var come atomic.Int64
			to, bus := driver(b, "b", nil, func(string, []byte) { come.Add(1) })
			from, _ := driver(b, "a", []string{bus.RouteAddr()}, nil)
			for len(from.Live()) < 2 || len(to.Live()) < 2 {
				time.Sleep(time.Millisecond)
			}
			body := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			sent := int64(0)
			for b.Loop() {
				for sent-come.Load() > 8192 {
					time.Sleep(50 * time.Microsecond)
				}
				if err := from.Send("b", body); err != nil {
					b.Fatal(err)
				}
				sent++
			}
			for came := come.Load(); came < sent; came = come.Load() {
				time.Sleep(50 * time.Microsecond)
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// A question and its answer, one after the other.
func BenchmarkThereAndBack(b *testing.B) {
	back := make(chan struct{}, 1)
	var to *cluster.Node
	ready := make(chan struct{})
	to, bus := driver(b, "b", nil, func(node string, body []byte) { <-ready; _ = to.Send(node, body) })
	close(ready)
	from, _ := driver(b, "a", []string{bus.RouteAddr()}, func(string, []byte) { back <- struct{}{} })
	for len(from.Live()) < 2 || len(to.Live()) < 2 {
		time.Sleep(time.Millisecond)
	}
	body := make([]byte, 128)
	b.ReportAllocs()
	for b.Loop() {
		if err := from.Send("b", body); err != nil {
			b.Fatal(err)
		}
		<-back
	}
}
