package messaging

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

// Hub knows the users of a node and brings messages to them. Its methods may be called from any
// goroutine, handlers included, and do not block, but for those that take a context.
//
// Everything about a user is guarded by the lock of its shard, and so is the store's work for it;
// everything about a room by the lock of its own. Locks are held for memory only: what asks the Store
// or the Policy runs on goroutines of its own. While a shard's lock is held those of the clock and of
// watchers may be taken, and no other; while that of a set of rooms is, those of its rooms.
type Hub struct {
	cfg   Config
	seed  maphash.Seed
	began time.Time        // monotonic, and the start of this run
	wall  func() time.Time // time.Now, but for tests: what stands in messages and in the Store
	name  ID               // of what the node itself says: sender and incarnation

	srv    atomic.Pointer[server.Server]
	number atomic.Uint64 // of the node's last message
	stamps stamps
	window atomic.Int64 // the node's reconnect window, as of the last second

	storing atomic.Int64 // bytes that wait for the store
	late    lateAcks
	clock   clock
	policy  policyPool
	asks    chan func()

	shards [shards]shard
	rooms  [shards]roomShard
	held   atomic.Int64 // rooms known
	counts counts

	watchers [shards]watchers

	// Nothing without Config.Peers.
	self      string        // this node's name among others
	streams   streams       // to other nodes
	follows   follows       // users of whom it wants to know
	leaving   atomic.Bool   // for good, see Leave
	calls     calls         // to other nodes, that somebody waits for
	token     atomic.Uint64 // of the last question to another node
	look      chan struct{} // wakes askForQueued
	view      view
	says      says
	fetches   fetches
	heads     heads
	recounts  recounts
	vigils    vigils
	inquiries chan func()   // for inquirers
	roaming   chan struct{} // wakes roam

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	closed atomic.Bool
}

const shards = 32

// New returns a hub that does nothing before Start. The error names the field of cfg that makes no
// sense.
func New(cfg Config) (*Hub, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h := &Hub{cfg: cfg.WithDefaults(), seed: maphash.MakeSeed(), began: time.Now(), wall: time.Now}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.name = ID{Sender: h.cfg.Name, Incarnation: randomNumber()}
	h.asks = make(chan func(), maxAsks)
	h.inquiries = make(chan func(), maxInquiries)
	h.roaming = make(chan struct{}, 1)
	h.view.init()
	h.look = make(chan struct{}, 1)
	h.policy.tasks = make(chan *asked, h.cfg.PolicyQueue)
	for i := range h.shards {
		h.shards[i].init(h)
	}
	for i := range h.rooms {
		h.rooms[i].rooms = make(map[string]*room)
	}
	return h, nil
}

// randomNumber is not 0.
func randomNumber() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// Handler is the hub's side of a node, for server.Config. The hub keeps something of its own in
// Session.Data; what AuthGrant.Data was, its Policy gets.
func (h *Hub) Handler() server.Handler {
	handler := server.Handler{Opened: h.opened, Message: h.message, Missed: h.missed, Closed: h.closedSession}
	if h.cfg.Peers != nil {
		handler.Stamp, handler.Unstamp = h.stamps.begin(h.cfg.Peers), h.stamps.end
	}
	return handler
}

// Name is Config.Name: the sender of what the node itself says.
func (h *Hub) Name() string { return h.cfg.Name }

// Life is Config.Life: what the hub keeps is kept no longer, whatever Message.Life says.
func (h *Hub) Life() time.Duration { return h.cfg.Life }

// Start has the hub work for srv, whose handler is Handler. It is to be called once, before srv.Start;
// clients that come before it are told to try later. Errors: ErrStarted, ErrClosed, that of the
// clock's memory, and that of Peers.Start.
func (h *Hub) Start(srv *server.Server) error {
	if h.closed.Load() {
		return ErrClosed
	}
	if err := h.clock.init(h.began); err != nil {
		return err
	}
	if !h.srv.CompareAndSwap(nil, srv) {
		return ErrStarted
	}
	h.window.Store(int64(srv.Stats().Window))
	if h.cfg.Peers != nil {
		h.self = h.cfg.Peers.Node()
		if err := h.cfg.Peers.Start(srv, h.peerHandler()); err != nil {
			return err
		}
	}
	h.goes(h.tick)
	if h.cfg.Peers != nil {
		h.goes(h.roam)
		for range inquirers {
			h.goes(h.inquirer)
		}
	}
	h.goes(h.answerAsks)
	if h.cfg.Policy != nil {
		for range h.cfg.PolicyWorkers {
			h.goes(h.policyWorker)
		}
	}
	if h.cfg.Store != nil {
		for i := range h.shards {
			h.goes(h.shards[i].keeper)
		}
		h.goes(h.moveDue)
		h.goes(h.sweepAll)
		if h.cfg.Peers != nil {
			h.goes(h.askForQueued)
		}
	}
	return nil
}

func (h *Hub) goes(do func()) {
	h.wg.Add(1)
	go func() { defer h.wg.Done(); do() }()
}

// Close waits until what clients were sent and have not acknowledged is stored, or ctx ends, and ends
// the hub's goroutines. Whoever waits for an outcome then is told that the message is refused. It is to be called when the server has ended and before the Store is closed. It
// may be repeated. The error is ctx's.
func (h *Hub) Close(ctx context.Context) error {
	h.closed.Store(true)
	err := h.drained(ctx)
	h.cancel()
	h.wg.Wait()
	for i := range h.shards {
		h.shards[i].giveUp()
	}
	h.clock.close()
	return err
}

// drained waits until nothing waits for the store.
func (h *Hub) drained(ctx context.Context) error {
	if h.srv.Load() == nil || h.cfg.Store == nil {
		return nil
	}
	for i := range h.shards {
		h.shards[i].spillAll()
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for h.storing.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
	}
	return nil
}

// ready returns the server, if the hub works.
func (h *Hub) ready() (*server.Server, error) {
	if h.closed.Load() {
		return nil, ErrClosed
	}
	if srv := h.srv.Load(); srv != nil {
		return srv, nil
	}
	return nil, ErrNotStarted
}

// since is the time since the hub was made, on a clock that nobody sets.
func (h *Hub) since() time.Duration { return time.Since(h.began) }

func (h *Hub) shardOf(user string) *shard {
	return &h.shards[maphash.String(h.seed, user)%shards]
}
