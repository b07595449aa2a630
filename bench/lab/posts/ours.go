package posts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/server"
)

// posters is how many goroutines post.
const posters = 8

// node is a server of one loop and the sessions that are posted to.
type node struct {
	*server.Server
	turns *flood.Turns

	mu  sync.Mutex
	all []server.Ref // guarded by mu; probes are not among them
}

func startNode() (*node, error) {
	n := &node{turns: flood.WatchTurns()}
	s, err := server.New(server.Config{Listen: "127.0.0.1:0", Loops: 1, AdmitRate: 1e6,
		Handler: server.Handler{Opened: n.opened}})
	if err != nil {
		return nil, err
	}
	n.Server = s
	return n, s.Start()
}

func (n *node) opened(s *server.Session) {
	if !strings.HasPrefix(s.ID(), flood.ProbePrefix) {
		n.mu.Lock()
		n.all = append(n.all, s.Ref())
		n.mu.Unlock()
	}
}

func (n *node) joined() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.all)
}

// end stops it when no message is left, and adds the longest of its turns. That its end takes time is no
// heartbeat's matter: the clients see the calm before.
func (n *node) end(figures map[string]float64) {
	for last := uint64(0); last != n.Stats().Delivers; time.Sleep(calm) {
		last = n.Stats().Delivers
	}
	n.turns.Tell(figures)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Stop(over)
}

// flood has all posters post for a while, and says how many messages were written.
func (n *node) flood(w workload, d time.Duration) (delivers uint64, took time.Duration, err error) {
	var over atomic.Bool
	var all sync.WaitGroup
	failed := make(chan error, posters)
	shuffled := append([]server.Ref(nil), n.all...)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	next := func() server.Ref { return shuffled[rand.IntN(len(shuffled))] }
	if w.apart {
		var round atomic.Int64
		next = func() server.Ref { return shuffled[int(round.Add(1))%len(shuffled)] }
	}
	before, began := n.Stats().Delivers, time.Now()
	for range posters {
		all.Go(func() {
			if err := n.post(next, &over); err != nil {
				failed <- err
			}
		})
	}
	time.Sleep(d)
	delivers, took = n.Stats().Delivers-before, time.Since(began)
	over.Store(true)
	all.Wait()
	select {
	case err = <-failed:
	default:
	}
	return delivers, took, err
}

// post is one poster. It waits a moment when the mailbox is full, as an application does.
func (n *node) post(next func() server.Ref, over *atomic.Bool) error {
	body := make([]byte, bodySize)
	for !over.Load() {
		to := next()
		err := n.Deliver(to, body)
		for errors.Is(err, server.ErrBusy) && !over.Load() {
			time.Sleep(fullWait)
			err = n.Deliver(to, body)
		}
		if err != nil && !errors.Is(err, server.ErrBusy) {
			return fmt.Errorf("deliver: %w", err)
		}
	}
	return nil
}
