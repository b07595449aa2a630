package messaging_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	process "github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/messaging"
)

// joinCluster makes this process a node of a cluster; peers are joined by commas.
func joinCluster(t testing.TB, name, listen, peers string) messaging.Peers {
	t.Helper()
	bus, err := natsbus.New(natsbus.Config{Node: name, Listen: listen, Peers: strings.Split(peers, ",")})
	if err != nil {
		t.Fatal(err)
	}
	node, err := cluster.New(cluster.Config{Node: name, Bus: bus, Replace: true, Stay: true})
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// freePorts are addresses at which nobody listens.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	addrs, err := freeport.Loopback(n)
	if err != nil {
		t.Fatal(err)
	}
	return addrs
}

// city is a cluster of processes.
type city struct {
	t     *testing.T
	ports []string // for clients, and then for the others
	files []string
	nodes []*process.Child
}

func startCity(t *testing.T, n int) *city {
	t.Helper()
	c := &city{t: t, ports: freePorts(t, 2*n), nodes: make([]*process.Child, n)}
	for i := range n {
		c.files = append(c.files, filepath.Join(t.TempDir(), fmt.Sprint("store", i)))
		c.start(i)
	}
	return c
}

func (c *city) addrs() []string { return c.ports[:len(c.nodes)] }

func (c *city) start(i int) {
	c.t.Helper()
	n := len(c.nodes)
	c.nodes[i], _ = startNode(c.t, c.ports[i], c.files[i], string(rune('a'+i)), c.ports[n+i], strings.Join(c.ports[n:], ","))
}

func (c *city) kill(i int) {
	c.nodes[i].Kill()
	c.nodes[i].Reap()
}

// Users on three nodes talk, some of them away, while nodes are killed, started again and frozen: whatever was
// acknowledged as delivered or durable is had in the end, once.
func TestClusterLosesNothingThatItAcknowledged(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	const users, rounds, away = 150, 8, 20
	c := startCity(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	l := newLedger()
	var all []*person
	for i := range users {
		all = append(all, l.person(t, ctx, &wg, fmt.Sprintf("user%d/x", i), c.addrs()...))
	}
	for _, p := range all {
		eventually(t, "sessions", time.Minute, func() bool { return p.Info().State == client.Ready })
	}
	var senders sync.WaitGroup
	for i, p := range all {
		senders.Go(func() {
			for k := range rounds {
				p.tell(ctx, fmt.Sprintf("user%d", (i+k+1)%users), fmt.Sprintf("%d to %d, %d", i, (i+k+1)%users, k))
				p.tell(ctx, fmt.Sprintf("away%d", (i+k)%away), fmt.Sprintf("%d to away%d, %d", i, (i+k)%away, k))
				select {
				case <-time.After(400 * time.Millisecond):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	const total = 2 * users * rounds
	after := func(part float64) {
		eventually(t, "traffic", time.Minute, func() bool { _, acked, _ := l.counts(); return float64(acked) >= part*total })
		sent, acked, _ := l.counts()
		t.Logf("with %d messages in flight, %d of %d settled:", sent-acked, acked, total)
	}
	after(0.15)
	c.kill(1)
	t.Log("killed b")
	after(0.35)
	c.start(1)
	t.Log("started b")
	after(0.5)
	frozen := c.nodes[2]
	if err := frozen.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Log("froze c")
	time.AfterFunc(5*time.Second, func() { _ = frozen.Signal(syscall.SIGCONT) })
	after(0.6)
	c.kill(0)
	t.Log("killed a")
	time.Sleep(2 * time.Second) // the sleep is the fault: it is away for so long
	c.start(0)
	senders.Wait()
	for i := range away {
		all = append(all, l.person(t, ctx, &wg, fmt.Sprintf("away%d", i), c.addrs()...))
	}
	eventually(t, "all messages settled", 60*time.Second, func() bool { sent, acked, _ := l.counts(); return acked == sent && sent == total })
	eventually(t, "what was acknowledged", time.Minute, func() bool { return len(l.lost()) == 0 })
	l.mu.Lock()
	defer l.mu.Unlock()
	var words [256]int
	for _, word := range l.acked {
		words[word]++
	}
	for text, n := range l.had {
		if n > 1 {
			t.Errorf("%s: had %d times", text, n)
		}
	}
	for _, e := range l.errs {
		t.Error(e)
	}
	t.Logf("delivered %d, durable %d, held %d, refused %d; had %d of %d", words[1], words[2], words[3], words[255], len(l.had), len(l.sent))
}
