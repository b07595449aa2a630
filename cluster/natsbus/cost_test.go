//go:build !nonats

package natsbus

import (
	"flag"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var cost = flag.Duration("natsbus.cost", 0, "how long TestCostOfAMessage measures each mesh; 0: not at all")

// TestCostOfAMessage says what a message to all costs of a processor, with the nodes of a mesh in this process, encrypted,
// each of which says something to all at a steady pace: sent, carried and received. docs/CLUSTER.md reckons with it.
func TestCostOfAMessage(t *testing.T) {
	if *cost == 0 {
		t.Skip("it measures; -natsbus.cost says for how long")
	}
	for _, nodes := range []int{3, 8, 16} {
		for _, pace := range []int{20, 100} { // a second and node
			spent, come := measureMesh(t, nodes, pace)
			idle, _ := measureMesh(t, nodes, 0)
			t.Logf("%2d nodes, %3d a second each: %.1f us of a processor a message that comes", nodes, pace, (spent-idle).Seconds()*1e6/float64(come))
		}
	}
}

func measureMesh(t *testing.T, nodes, pace int) (spent time.Duration, come int64) {
	var all []*Bus
	var peers []string
	var got atomic.Int64
	defer func() {
		for _, b := range all {
			_ = b.Close()
		}
	}()
	for i := range nodes {
		b, err := New(Config{Node: fmt.Sprint("n", i), Listen: "127.0.0.1:0", Peers: peers, Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}})
		if err != nil {
			t.Fatal(err)
		}
		all, peers = append(all, b), append(peers, b.RouteAddr())
		if err := b.Subscribe("sw.all", func([]byte) { got.Add(1) }); err != nil {
			t.Fatal(err)
		}
	}
	body := make([]byte, 128)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // all reach all
		before := got.Load()
		for _, b := range all {
			_ = b.Publish("sw.all", body)
		}
		if time.Sleep(200 * time.Millisecond); got.Load()-before == int64(nodes*(nodes-1)) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("they do not all reach each other")
		}
	}
	before, began := cpu(), got.Load()
	tick := time.NewTicker(time.Second / time.Duration(max(pace*nodes, nodes)))
	defer tick.Stop()
	for end, i := time.Now().Add(*cost), 0; time.Now().Before(end); i++ {
		if <-tick.C; pace > 0 {
			_ = all[i%nodes].Publish("sw.all", body)
		}
	}
	return cpu() - before, got.Load() - began
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
