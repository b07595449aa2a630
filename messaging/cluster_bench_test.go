package messaging_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// benchNode is a node of a cluster in this process, with sockets.
func benchNode(b *testing.B, name, listen string, peers []string) (*messaging.Hub, string) {
	b.Helper()
	bus, err := natsbus.New(natsbus.Config{Node: name, Listen: listen, Peers: peers})
	if err != nil {
		b.Fatal(err)
	}
	node, err := cluster.New(cluster.Config{Node: name, Bus: bus, Replace: true, Stay: true})
	if err != nil {
		b.Fatal(err)
	}
	hub, err := messaging.New(messaging.Config{Name: "node " + name, Peers: node})
	if err != nil {
		b.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Node: name, Handler: hub.Handler(), Loops: 1, IDRate: -1, AdmitRate: 1e6, MaxWindow: time.Second})
	if err == nil {
		err = hub.Start(srv)
	}
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Stop(ctx)
		_ = hub.Close(ctx)
		node.Close()
		_ = bus.Close()
	})
	return hub, srv.Addr()
}

// BenchmarkPush is a message to a user until his device has acknowledged it: on the origin, and on another node. The rate
// is what is offered a second; 0: as many as are taken, 2,000 under way. A process has both nodes, and all clients.
func BenchmarkPush(b *testing.B) {
	const users = 100
	ports, err := freeport.Loopback(2)
	if err != nil {
		b.Fatal(err)
	}
	hub, addr := benchNode(b, "a", ports[0], ports)
	_, other := benchNode(b, "b", ports[1], ports)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	b.Cleanup(func() { cancel(); wg.Wait() })
	for _, at := range []struct{ name, addr string }{{"same", addr}, {"other", other}} {
		var all []*client.Client
		for i := range users {
			c, err := client.New(client.Config{Endpoints: []string{at.addr}, IgnoreAlternates: true, ID: fmt.Sprint(at.name, i), Deliver: func(client.Message) {}})
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, c)
			wg.Go(func() { _ = c.Run(ctx) })
		}
		for _, c := range all {
			for c.Info().State != client.Ready {
				time.Sleep(time.Millisecond)
			}
		}
	}
	time.Sleep(2 * time.Second) // the nodes see each other
	for _, rate := range []int{10_000, 0} {
		for _, where := range []string{"same", "other"} {
			b.Run(fmt.Sprintf("%s/rate=%d", where, rate), func(b *testing.B) { pushMany(b, hub, where, users, rate) })
		}
	}
}

func pushMany(b *testing.B, hub *messaging.Hub, where string, users, rate int) {
	var (
		mu    sync.Mutex
		took  = make([]time.Duration, 0, b.N)
		other int
	)
	places := make(chan struct{}, 2000)
	content := make([]byte, 200)
	began, used := time.Now(), processorTime(b)
	for i := 0; b.Loop(); i++ {
		if rate > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		}
		places <- struct{}{}
		at := time.Now()
		err := hub.Push(fmt.Sprint(where, i%users), messaging.Message{Content: content}, func(o messaging.Outcome) {
			d := time.Since(at)
			mu.Lock()
			if o.Result != messaging.Delivered {
				other++
			}
			took = append(took, d)
			mu.Unlock()
			<-places
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for range cap(places) {
		places <- struct{}{}
	}
	b.ReportMetric(float64((processorTime(b)-used).Nanoseconds())/1000/float64(len(took)), "cpu-us/op")
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/time.Since(began).Seconds(), "msg/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
	if other > 0 {
		b.Errorf("%d were not delivered", other)
	}
}

// processorTime is that of this process.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	use, err := proc.Process(os.Getpid())
	if err != nil {
		b.Skip("the processor time is not known here: ", err)
	}
	return use.CPU()
}
