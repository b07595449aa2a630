package messaging_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	process "github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// nodeOrders has the test binary be a node: address, and file of its store.
const nodeOrders = "STORMWHEEL_TEST_HUB"

func TestAsANode(t *testing.T) {
	orders := strings.Fields(os.Getenv(nodeOrders))
	if len(orders) == 0 {
		t.Skip("it is what other tests start")
	}
	hub, err := messaging.New(messaging.Config{Store: openStore(t, orders[1]), MessageRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: orders[0], Handler: hub.Handler(), Loops: 2, IDRate: -1, AdmitRate: 1e5, MaxWindow: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Start(srv); err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Println(srv.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
}

func openStore(t *testing.T, file string) messaging.Store {
	if file == "memory" {
		return messaging.NewMemory(messaging.Bounds{})
	}
	store, err := messaging.OpenBolt(file, messaging.Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// freePort is an address at which nobody listens, before its node does and while that is gone.
func freePort(t *testing.T) string {
	t.Helper()
	addrs, err := freeport.Loopback(1)
	if err != nil {
		t.Fatal(err)
	}
	return addrs[0]
}

func startNode(t *testing.T, addr, file string) (*process.Child, string) {
	t.Helper()
	c := process.Program{Argv: []string{"env", nodeOrders + "=" + addr + " " + file, os.Args[0], "-test.run=^TestAsANode$", "-test.timeout=5m"}}.Command()
	if _, err := c.Pipe(); err != nil {
		t.Fatal(err)
	}
	bound, err := c.Start(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err, c.Complaint())
	}
	t.Cleanup(c.Close)
	return c, bound
}

// ledger is what clients know, by the names of messages.
type ledger struct {
	mu    sync.Mutex
	sent  map[string]bool   // was Send called
	acked map[string]uint8  // by the word of its ACK
	had   map[string]int    // how often a receiver's application was given it
	names map[string]string // of the id: one content
	errs  []string
}

// person is a client of package client that counts into a ledger.
type person struct {
	*client.Client
	l    *ledger
	name string

	mu      sync.Mutex
	numbers map[uint64]string // what was sent under a number
	early   map[uint64]client.Outcome
	seen    map[string]bool // ids that its application has had
}

func (l *ledger) person(t *testing.T, ctx context.Context, wg *sync.WaitGroup, name string, addrs ...string) *person {
	p := &person{l: l, name: name, numbers: make(map[uint64]string), early: make(map[uint64]client.Outcome), seen: make(map[string]bool)}
	c, err := client.New(client.Config{Endpoints: addrs, ID: name, Deliver: p.deliver, Settled: p.settled,
		BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	p.Client = c
	wg.Add(1)
	go func() { defer wg.Done(); _ = c.Run(ctx) }()
	return p
}

func (p *person) deliver(m client.Message) {
	e, err := envelope.Parse(m.Body)
	if err != nil || e.Kind != envelope.Message {
		return
	}
	id := fmt.Sprintf("%s/%x/%d", e.ID.Sender, e.ID.Incarnation, e.ID.Number)
	content := string(e.Content)
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if other, known := p.l.names[id]; known && other != content {
		p.l.errs = append(p.l.errs, fmt.Sprintf("id %s is both %s and %s", id, other, content))
	}
	p.l.names[id] = content
	if !p.seen[id] { // what package talk does
		p.seen[id] = true
		p.l.had[content]++
	}
}

func (p *person) settled(number uint64, o client.Outcome) {
	p.mu.Lock()
	text, ok := p.numbers[number]
	if !ok {
		p.early[number] = o
	}
	p.mu.Unlock()
	if ok {
		p.note(text, o)
	}
}

func (p *person) note(text string, o client.Outcome) {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if o.Err == nil {
		p.l.acked[text] = o.What
	} else {
		p.l.acked[text] = 255
	}
}

func (p *person) tell(ctx context.Context, to, text string) {
	body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.ToUser, User: []byte(to), Content: []byte(text)})
	if err != nil {
		panic(err)
	}
	p.l.mu.Lock()
	p.l.sent[text] = true
	p.l.mu.Unlock()
	n, err := p.Send(ctx, body)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.numbers[n] = text
	o, early := p.early[n]
	p.mu.Unlock()
	if early {
		p.note(text, o)
	}
}

func newLedger() *ledger {
	return &ledger{sent: make(map[string]bool), acked: make(map[string]uint8), had: make(map[string]int), names: make(map[string]string)}
}

func (l *ledger) counts() (sent, acked, had int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sent), len(l.acked), len(l.had)
}

// lost is what was acknowledged as delivered or durable, and nobody had.
func (l *ledger) lost() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text, word := range l.acked {
		if safe := word == envelope.AckDelivered || word == envelope.AckDurable; safe && l.had[text] == 0 {
			all = append(all, fmt.Sprintf("%s (%d)", text, word))
		}
	}
	return all
}

func eventually(t *testing.T, what string, within time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// Users talk, some of them away, while their node is killed twice: whatever was acknowledged as
// delivered or durable is had in the end, and nothing is had twice.
func TestKilledNodeLosesNothingThatItAcknowledged(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	for _, kind := range []string{"bolt", "memory"} {
		t.Run(kind, func(t *testing.T) { killNode(t, kind) })
	}
}

func killNode(t *testing.T, kind string) {
	const users, rounds, away = 200, 5, 20
	file := "memory"
	if kind == "bolt" {
		file = filepath.Join(t.TempDir(), "store")
	}
	node, addr := startNode(t, freePort(t), file)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	l := newLedger()
	var all []*person
	for i := range users {
		all = append(all, l.person(t, ctx, &wg, fmt.Sprintf("user%d/x", i), addr))
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
			}
		})
	}
	for _, part := range []int{8, 2} { // with more than a thousand in flight, and after a half
		eventually(t, "traffic", time.Minute, func() bool { _, acked, _ := l.counts(); return acked >= 2*users*rounds/part })
		node.Kill()
		sent, acked, _ := l.counts()
		t.Logf("killed with %d messages in flight", sent-acked)
		node.Reap()
		node, _ = startNode(t, addr, file)
	}
	senders.Wait()
	for i := range away {
		all = append(all, l.person(t, ctx, &wg, fmt.Sprintf("away%d", i), addr))
	}
	eventually(t, "all messages settled", time.Minute, func() bool { sent, acked, _ := l.counts(); return acked == sent && sent == 2*users*rounds })
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
