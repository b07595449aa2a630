package main

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// What befalls a cluster, each with a ledger of what users say meanwhile, and with a circle of people who watch each other
// and stay through all of it. With STORMWHEEL_SLOW=1 faults last as long as they may.

// lasts is how long a fault does.
func lasts(short, long time.Duration) time.Duration {
	if slow {
		return long
	}
	return short
}

// talkers are the flags of nodes of which clients notice a loss soon.
var talkers = []string{"--messages", "bolt:{store}", "--heartbeat", "1s", "--timeout", "5s", "--max-window", "1s", "--drain-grace", "0s", "--no-cluster-rebalance", "--open-presence"}

// circle are people who watch each other.
type circle struct {
	edge *edge
	all  []*person

	mu     sync.Mutex
	online map[[2]string]bool // by watcher and device, as was told last
}

func (e *edge) circle(n int) *circle {
	e.t.Helper()
	c := &circle{edge: e, online: make(map[[2]string]bool)}
	addrs := e.addrs()
	for i := range n {
		id := fmt.Sprint("p", i)
		first := i % len(addrs)
		cfg := talk.Config{
			Client: client.Config{Endpoints: append(slices.Clone(addrs[first:]), addrs[:first]...), ID: id, Dial: e.hub.dial, PongTimeout: 2 * time.Second},
			Presence: func(p talk.Presence) {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.online[[2]string{id, p.Device}] = p.Online
			},
		}
		p := new(person).connect(e.t, cfg)
		for j := range n {
			if j != i {
				p.Watch(fmt.Sprint("p", j))
			}
		}
		c.all = append(c.all, p)
	}
	for _, p := range c.all {
		p.online()
	}
	c.right()
	return c
}

// right waits until each of the circle has one session, on all nodes the same, of whose node all others know that he is online.
func (c *circle) right() {
	c.edge.t.Helper()
	for _, n := range c.edge.nodes {
		waitFor(c.edge.t, "each has one session, as "+n.name+" says", func() bool {
			var page struct {
				Sessions []struct{ Client string }
				Partial  bool
			}
			status, body := n.call("GET", "/v1/sessions", "")
			if err := json.Unmarshal([]byte(body), &page); status != 200 || err != nil {
				c.edge.t.Fatalf("/v1/sessions: %d, %v, %s", status, err, body)
			}
			seen := make(map[string]int)
			for _, s := range page.Sessions {
				seen[s.Client]++
			}
			for i := range c.all {
				if seen[fmt.Sprint("p", i)] != 1 {
					return false
				}
			}
			return !page.Partial && len(page.Sessions) == len(c.all)
		})
	}
	waitFor(c.edge.t, "each knows of all others that they are online", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range c.all {
			for j := range c.all {
				if i != j && !c.online[[2]string{fmt.Sprint("p", i), fmt.Sprint("p", j)}] {
					return false
				}
			}
		}
		return true
	})
}

// fault is what befalls an edge, and for how long or so.
type fault struct {
	name   string
	lasts  time.Duration
	strike func(e *edge, lasts time.Duration)
}

// befall has faults befall an edge, one after the other: in one talk, or, where there is time, in one each.
func befall(t *testing.T, e *edge, faults []fault) {
	t.Helper()
	c := e.circle(6)
	if slow { // each by itself: with -run, some of them
		for _, f := range faults {
			t.Run(f.name, func(*testing.T) { // what the edge starts lasts for the others
				e.during(f.name, f.lasts, func() { f.strike(e, f.lasts) })
				c.right()
			})
		}
		return
	}
	var names []string
	var all time.Duration
	for _, f := range faults {
		names, all = append(names, f.name), all+f.lasts
	}
	e.during(strings.Join(names, "; "), all, func() {
		for _, f := range faults {
			f.strike(e, f.lasts)
			e.whole()
		}
	})
	c.right()
}

// Every node is at once where some of the users are, the origin of what they say, and the home of some of the rooms.
func TestClusterLosesNothingWhenNodesDieAndFreeze(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	faults := []fault{
		{"kill -9, and back with its store; and another meanwhile frozen for 1 s", time.Second, func(e *edge, lasts time.Duration) {
			e.kill(1)
			e.freeze(2, lasts)
			e.again(1)
		}},
		{"frozen for longer than others believe it, and its return with old claims", lasts(2*time.Second, 30*time.Second), func(e *edge, lasts time.Duration) {
			e.freeze(2, lasts)
		}},
		{"another node at the address of one that died, with its store", time.Second, func(e *edge, _ time.Duration) {
			e.kill(0)
			i := slices.Index(e.argv[0], "a")
			e.argv[0][i] = "d"
			e.again(0)
		}},
	}
	if slow {
		faults = append(faults, fault{"two of three killed at once, and back with their stores", time.Second, func(e *edge, _ time.Duration) {
			e.nodes[0].signal(syscall.SIGKILL)
			e.kill(1)
			e.nodes[0].exit()
			started := []*process{e.launch(0), e.launch(1)} // each is ready when it has seen the other
			for i, p := range started {
				e.ready(i, p)
			}
		}})
	}
	befall(t, newEdge(t, 3, talkers...).start(), faults)
}

// Cables of the bus alone are cut: clients reach all nodes all the time.
func TestClusterLosesNothingWhenItsNetworkFails(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	e := newEdgeApart(t, 3, talkers...)
	t.Parallel()
	long := lasts(1500*time.Millisecond, time.Minute)
	befall(t, e.start(), []fault{
		{"one is cut off, both ways", long, func(e *edge, lasts time.Duration) {
			heal := e.alone(0)
			time.Sleep(lasts) // it is the fault, here and below
			heal()
		}},
		{"one is heard, and does not hear", long, func(e *edge, lasts time.Duration) {
			e.cut(0, 1)
			e.cut(2, 1)
			time.Sleep(lasts)
			e.heal(0, 1)
			e.heal(2, 1)
		}},
		{"two do not hear each other, and the third hears both", long, func(e *edge, lasts time.Duration) {
			e.cut(0, 2)
			e.cut(2, 0)
			time.Sleep(lasts)
			e.heal(0, 2)
			e.heal(2, 0)
		}},
		{"a cable that comes and goes", long, func(e *edge, lasts time.Duration) {
			for over := time.Now().Add(lasts); time.Now().Before(over); time.Sleep(300 * time.Millisecond) {
				heal := e.alone(2)
				time.Sleep(500 * time.Millisecond)
				heal()
			}
		}},
		{"a cable of 256 kbit/s", long, func(e *edge, lasts time.Duration) {
			heal, ok := e.narrow(1, "256kbit")
			if !ok {
				t.Log("this kernel has no tbf")
				return
			}
			time.Sleep(lasts)
			heal()
		}},
	})
}

// Nodes whose NATS is gone are alone meanwhile, with what was under way.
func TestClusterLosesNothingWhenItsNATSIsRestarted(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	t.Parallel()
	addr := freePorts(t, 1)[0]
	_, text, _ := net.SplitHostPort(addr)
	port, _ := strconv.Atoi(text)
	nats := startNATS(t, port)
	e := newEdge(t, 3, talkers...)
	for i := range e.argv {
		for _, flag := range []string{"--cluster-listen", "--cluster-peers"} {
			at := slices.Index(e.argv[i], flag)
			e.argv[i] = slices.Delete(e.argv[i], at, at+2)
		}
		e.argv[i][slices.Index(e.argv[i], "nats://embedded")] = "nats://" + addr
	}
	e.start().whole()
	befall(t, e, []fault{{"the NATS is away", lasts(time.Second, 30*time.Second), func(_ *edge, lasts time.Duration) {
		nats.Shutdown()
		nats.WaitForShutdown()
		time.Sleep(lasts) // it is the fault
		startNATS(t, port)
	}}})
}

// The same client logs in at two nodes at the same moment, a thousand times: one of the two stays.
func TestClusterRacedLoginsLeaveOneEach(t *testing.T) {
	t.Parallel()
	const ids = 1000
	all := startCluster(t, 2, "--admit-rate", "1000000", "--max-window", "1s", "--heartbeat", "100s") // they say nothing more, and stay
	var ended [ids][2]chan struct{}
	for i := range ids {
		hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: fmt.Append(nil, "c", i), Incarnation: uint64(i) + 1, Attempt: 1})
		if err != nil {
			t.Fatal(err)
		}
		var conns [2]net.Conn
		for k, n := range all {
			conns[k] = dial(t, n.listen).conn
			if err := conns[k].SetDeadline(time.Time{}); err != nil { // only the node ends it
				t.Fatal(err)
			}
		}
		for k, conn := range conns {
			over := make(chan struct{})
			ended[i][k] = over
			go func() {
				defer close(over)
				_, _ = conn.Write(hello)
				buf := make([]byte, 4096)
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
				}
			}()
		}
	}
	waitFor(t, "one session a client", func() bool {
		return all[0].cluster().Counts.Sessions+all[1].cluster().Counts.Sessions == ids
	})
	for i := range ids {
		waitFor(t, "one of the two ends", func() bool { return isClosed(ended[i][0]) || isClosed(ended[i][1]) })
		if isClosed(ended[i][0]) && isClosed(ended[i][1]) {
			t.Errorf("client %d has no session", i)
		}
	}
	t.Logf("%d stayed at a, %d at b", all[0].cluster().Counts.Sessions, all[1].cluster().Counts.Sessions)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Nodes that start one after the other find each other, whoever is first, and are ready no later for it. They are more than need homes.
func TestClusterStartsInEveryOrder(t *testing.T) {
	t.Parallel()
	orders := [][]int{{2, 0, 1}, {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}}
	if !slow {
		orders = orders[:1]
	}
	for _, order := range orders {
		e := newEdge(t, 3, "--cluster-homes-above", "2")
		started := make([]*process, 3)
		for _, i := range order {
			started[i] = e.launch(i)
			waitFor(t, "it takes connections", func() bool {
				conn, err := net.Dial("tcp", e.argv[i][2])
				if err == nil {
					conn.Close()
				}
				return err == nil
			})
		}
		for i, p := range started {
			e.ready(i, p)
		}
		e.whole()
		for _, n := range e.nodes {
			waitFor(t, "logins are told to homes", func() bool { return n.cluster().Homes })
			n.untilSaid(`msg="cluster: ready" live="[a b c]"`)
		}
		for i := range e.nodes {
			e.kill(i)
		}
	}
}
