package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Client keeps one session with a Stormwheel edge.
type Client struct {
	// Set by New and only read after it.
	cfg     Config
	linkCfg link.Config
	origin  time.Time     // where the link's time begins
	wake    chan struct{} // holds one: there are notices for Run
	stopped chan struct{} // closed when the link has stopped

	mu   sync.Mutex // guards all below
	link link.Link
	out  link.Out
	err  error // what Run returns, once stopped is closed

	ctx   context.Context // Run's; nil before
	timer *time.Timer     // fires at the link's deadline; nil before Run
	armed time.Duration   // the deadline it is set to, Never if it is not set
	slept time.Duration   // what sleptSince said when the timer last fired

	conns []*conn // the link's connections and dials: one, two while it moves
	told  State   // the latest that notices know of

	notices []notice                 // for the callbacks, see notify.go
	awaited map[uint64]chan<- answer // the numbers of SendAcked and Request; nil before there was one
	bodies  int                      // bytes, of what waits for Settled
	unsent  []Sent                   // what was not settled at the end

	waiting  int           // Sends that wait for changed
	changed  chan struct{} // closed and replaced when a waiting Send should look again
	starving int           // Sends that wait for messages to be settled
	starved  chan struct{} // closed and replaced when the first of these begins to wait
	turn     chan struct{} // holds one: a Send waits for the server's limits, the others for it

	saidTooLarge bool // that a server sends more than Config.MaxPayload was logged

	running sync.WaitGroup // goroutines of connections; added to with mu held and before stopped

	// Owned by the goroutine of the callbacks.
	batch []notice // that is being handled
	next  int      // of batch

	// Any goroutine.
	tokens, dials calls
	renewals      calls // of TokenSource, within a session: one at a time
	panics        atomic.Uint32
	logs          bool // the application gave a Logger

	way transport.Way // to the endpoints, and to what they name

	stage func() transport.Stage // makes that of a connection; nil: they are plain. Tests set it before Run
}

// New checks cfg and returns a client that does nothing before Run.
func New(cfg Config) (*Client, error) {
	logs := cfg.Logger != nil
	endpoints, way, err := transport.ParseWays(cfg.Endpoints)
	if err != nil {
		return nil, fmt.Errorf("client: Endpoints: %w", err)
	}
	cfg.Endpoints = endpoints
	if way.TLS {
		if err := cfg.fillTLS(); err != nil {
			return nil, fmt.Errorf("client: TLS: %w", err)
		}
	} else if cfg.TLS != nil {
		return nil, errors.New("client: TLS is set, and Endpoints are neither tls:// nor wss://")
	}
	cfg, linkCfg, err := cfg.fill()
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg:     cfg,
		linkCfg: linkCfg,
		way:     way,
		// A second before now: the link takes times as positive.
		origin:  time.Now().Add(-time.Second),
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
		armed:   link.Never,
		changed: make(chan struct{}),
		starved: make(chan struct{}),
		turn:    make(chan struct{}, 1),
		tokens:  newCalls(),
		dials:   newCalls(),
		logs:    logs,

		renewals: make(calls, 1),
	}
	c.linkCfg.ID = func(uint64) string { return cfg.ID }
	c.linkCfg.Incarnation = rand.Uint64()
	c.link.Init(&c.linkCfg, 0, rand.Uint64())
	return c, nil
}

// Run connects, stays connected, and calls the callbacks, one at a time, until the client ends. It returns nil
// if ctx has ended, or Close was called: either says BYE. It returns a *PanicError if a function of Config
// has panicked, after which what is settled is still told, and a *CodeError if a server has ended the client
// for good, unless NeverGiveUp: it is replaced by another of its ID, the server's application says never (a code
// from 3900 to 3999 in a session), or its token is not accepted any more and there is no
// TokenSource. When it returns, everything is released, but for calls of TokenSource and Dial
// that ignore their context. It can be called once.
func (c *Client) Run(ctx context.Context) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { c.stop(nil) })()
	// A callback may end its goroutine: that is not to be the one of who called Run.
	for ended, over := make(chan struct{}), false; !over; {
		go func() {
			defer func() { ended <- struct{}{} }()
			c.callBack()
			over = true
		}()
		<-ended
	}
	late, cancel := context.WithTimeout(context.Background(), hangUpTimeout)
	defer cancel()
	c.tokens.drain(late)
	c.renewals.drain(late)
	c.dials.drain(late)
	return c.err
}

// callBack calls the callbacks until the client has ended.
func (c *Client) callBack() {
	c.handleNotices() // what is left where another goroutine ended
	for running := true; running; {
		select {
		case <-c.wake:
		case <-c.stopped:
			running = false
		}
		c.handleNotices()
	}
	// The last readers may wait for their notices to be handled.
	idle := make(chan struct{})
	go func() { c.running.Wait(); close(idle) }()
	for running := true; running; {
		select {
		case <-c.wake:
		case <-idle:
			running = false
		}
		c.handleNotices()
	}
}

func (c *Client) start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ctx != nil:
		return ErrRan
	case c.state() == Stopped:
		return ErrClosed
	}
	c.ctx = ctx
	c.slept = sleptSince(c.origin)
	c.timer = time.AfterFunc(time.Hour, c.tick)
	c.link.Start(c.now(), &c.out)
	c.act()
	return nil
}

// Close says BYE and ends the client for good. What was sent or answered before it goes out ahead
// of BYE; a message whose Deliver has not returned is not acknowledged. It does not wait: Run
// returns once all that is written or a second has passed, and a callback that is running has returned.
// What waits in a callback for this Client does not wait any more. It may be repeated.
//
// It waits for no answer either: what is not settled is in Unsent. Who wants the answers waits for
// Info.Unsettled to be 0 before.
func (c *Client) Close() error {
	c.stop(nil)
	return nil
}

func (c *Client) stop(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state() == Stopped {
		return
	}
	c.flushAllAcks()
	c.err = err
	c.link.Stop(c.now(), &c.out)
	c.act()
}

// queueUp waits until it is this Send's turn to wait for the server's limits, the client has
// ended, or ctx has. It needs mu, as the next one does, and gives it up meanwhile.
func (c *Client) queueUp(ctx context.Context) (first bool, err error) {
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case c.turn <- struct{}{}:
		return true, nil
	case <-c.stopped:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// waiting says what a Send waits for, beside any change.
type waiting struct {
	atMost  time.Duration // so long, if it is not 0
	answers bool          // for messages to be settled
}

// waitToSend waits until something changes, ctx ends or the wait is over.
func (c *Client) waitToSend(ctx context.Context, w waiting) (err error) {
	var over <-chan time.Time
	if w.atMost > 0 {
		timer := time.NewTimer(w.atMost)
		defer timer.Stop()
		over = timer.C
	}
	if w.answers {
		c.starve()
		defer func() { c.starving-- }()
	}
	changed := c.changed
	c.waiting++
	c.mu.Unlock()
	select {
	case <-changed:
	case <-over:
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.mu.Lock()
	c.waiting--
	return err
}

// NetworkChanged tells that the path to the server may be another one now: Wi-Fi came or
// went, the machine woke. A session is probed at once: a PING has a second for its answer,
// or two of the latest round trips if they are longer; without it the client connects anew
// within a second, to any node. A wait is cut to a second at most.
func (c *Client) NetworkChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link.NetworkChanged(c.now(), &c.out)
	c.act()
}

// tick is the timer's: it stands apart from every connection, so that none can stop it.
func (c *Client) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = link.Never
	slept, now := sleptSince(c.origin), c.now()
	if slept-c.slept > suspended {
		c.link.NetworkChanged(now, &c.out)
	}
	c.slept = slept
	c.flushAllAcks()
	c.tellFlows(now)
	c.link.Tick(now, &c.out)
	c.act()
}

// suspended is the least sleep that is noticed: clocks are adjusted by less.
const suspended = 2 * time.Second

// sleptSince is how much further the wall clock has gone than the monotonic one, which
// stands still while a machine sleeps. A wall clock that is set forward looks the same,
// and costs one probe.
func sleptSince(origin time.Time) time.Duration {
	at := time.Now()
	return at.Round(0).Sub(origin.Round(0)) - at.Sub(origin)
}

// state is the link's. It needs mu.
func (c *Client) state() State { return State(c.link.State()) }

// now is the link's time.
func (c *Client) now() time.Duration { return time.Since(c.origin) }

// act carries out what the link asked for and sets the timer. It needs mu, and follows
// every call of the link that has an Out.
func (c *Client) act() {
	for i := range c.out.Actions {
		a := &c.out.Actions[i]
		k := c.find(a.Attempt)
		switch {
		case a.Op == link.Dial:
			c.open(a.Attempt, a.Addr)
		case a.Op == link.Write && k != nil:
			c.write(k, a.Data)
		case a.Op == link.Close && k != nil:
			c.forget(k)
			k.hangUp()
		case a.Op == link.Notify:
			c.notify(&a.Event)
		}
	}
	c.out.Reset()
	if state := c.state(); state != c.told {
		c.told = state
		c.noticeState()
		c.wakeSenders()
		if state == Stopped {
			close(c.stopped)
		}
	}
	if c.starving > 0 {
		c.wakeSenders()
	}
	c.arm()
}

func (c *Client) arm() {
	deadline := c.link.Deadline()
	if deadline == c.armed || c.timer == nil {
		return
	}
	c.armed = deadline
	if deadline == link.Never {
		c.timer.Stop()
		return
	}
	c.timer.Reset(max(0, deadline-c.now()))
}

func (c *Client) wakeSenders() {
	if c.waiting > 0 {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}
