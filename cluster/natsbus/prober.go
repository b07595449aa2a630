package natsbus

import (
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// prober asks an existing NATS whether anybody hears what is for a node: it answers at once if nobody does.
type prober struct {
	conn   *nats.Conn
	prefix string
	inbox  string // with a dot at the end; a node's name is behind it
	sub    *nats.Subscription

	mu      sync.Mutex
	watched map[*watched]bool
	stop    chan struct{}
}

// watched is a node that somebody watches.
type watched struct {
	node  string
	lost  func()
	alone int       // how many answers, one soon after the other, said that nobody hears it
	at    time.Time // the last of them
}

const (
	// probeTime is how often a node is asked for.
	probeTime = 400 * time.Millisecond
	// probesLost is how many probes that nobody hears mean that a node is gone: one may have come before
	// its subscription was known everywhere.
	probesLost = 2
)

func newProber(conn *nats.Conn, prefix string) (p *prober, err error) {
	p = &prober{conn: conn, prefix: prefix, inbox: conn.NewRespInbox() + ".", watched: make(map[*watched]bool), stop: make(chan struct{})}
	if p.sub, err = conn.Subscribe(p.inbox+"*", p.answered); err != nil {
		return nil, err
	}
	go p.run()
	return p, nil
}

func (p *prober) run() {
	tick := time.NewTicker(probeTime)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		for _, node := range p.nodes() {
			_ = p.conn.PublishRequest(p.prefix+"sw.to."+node, p.inbox+node, nil) // an empty batch, which is nothing
		}
	}
}

func (p *prober) nodes() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := make(map[string]bool)
	for w := range p.watched {
		if !seen[w.node] {
			seen[w.node] = true
			all = append(all, w.node)
		}
	}
	return all
}

// answered is told that nobody hears a node; nobody answers otherwise.
func (p *prober) answered(m *nats.Msg) {
	if m.Header.Get("Status") != "503" {
		return
	}
	node := strings.TrimPrefix(m.Subject, p.inbox)
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watched {
		if w.node != node {
			continue
		}
		now := time.Now()
		if now.Sub(w.at) > probesLost*probeTime {
			w.alone = 0 // it was heard meanwhile: nobody says so
		}
		w.at = now
		if w.alone++; w.alone >= probesLost {
			delete(p.watched, w)
			go w.lost()
		}
	}
}

func (p *prober) watch(node string, lost func()) (stop func()) {
	w := &watched{node: node, lost: lost}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched[w] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watched, w)
	}
}

func (p *prober) close() {
	close(p.stop)
	_ = p.sub.Unsubscribe() // the connection ends next
}
