package talk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Talk is one user's device.
type Talk struct {
	cfg    Config
	client *client.Client

	keeping sync.Mutex // Keeper.Keep is called one at a time

	mu      sync.Mutex
	sent    map[uint64]*sending // by number: what Settled will tell of
	settled sync.Cond           // sent has one more
	known   *memory             // messages to this user
	works   map[ID]*work
	heard   *memory // publications
	session string  // the present one; "": none
	wishes  map[wish]*wanted
	sights  map[string]sight // by device and room
	wake    chan struct{}    // of the goroutine that keeps wishes; 1
}

// New checks cfg and returns a Talk that does nothing before Run.
func New(cfg Config) (*Talk, error) {
	if cfg.Client.Deliver != nil || cfg.Client.Settled != nil {
		return nil, errors.New("talk: Client.Deliver and Client.Settled must be nil")
	}
	if cfg.now == nil {
		cfg.now = time.Now
	}
	now := cfg.now()
	t := &Talk{cfg: cfg, sent: make(map[uint64]*sending), known: newMemory(now), works: make(map[ID]*work), heard: newMemory(now),
		wishes: make(map[wish]*wanted), sights: make(map[string]sight), wake: make(chan struct{}, 1)}
	t.settled.L = &t.mu
	if cfg.Keeper != nil {
		ids, since, err := cfg.Keeper.Load()
		if err != nil {
			return nil, fmt.Errorf("talk: Keeper.Load: %w", err)
		}
		t.known.since = since
		for _, k := range ids {
			t.known.add(k, answer{})
		}
	}
	own := cfg.Client
	own.Deliver, own.Settled, own.StateChange = t.deliver, t.settle, t.stateChange
	var err error
	t.client, err = client.New(own)
	return t, err
}

// Client is what the Talk connects by, for Info, NetworkChanged and Close.
func (t *Talk) Client() *client.Client { return t.client }

// Close is Client().Close.
func (t *Talk) Close() error { return t.client.Close() }

// Run is client.Client.Run.
func (t *Talk) Run(ctx context.Context) error {
	own, stop := context.WithCancel(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { t.keepWishes(own) })
	err := t.client.Run(ctx)
	stop()
	keeper.Wait()
	return err
}

// deliver takes what the node says. What this version does not know is acknowledged and ignored.
func (t *Talk) deliver(m client.Message) {
	e, err := envelope.Parse(m.Body)
	switch {
	case errors.Is(err, envelope.ErrKind):
		return
	case err != nil:
		m.Nack(envelope.CodeMalformed, "")
		return
	}
	switch e.Kind {
	case envelope.Message:
		t.message(m, &e)
	case envelope.Publication:
		t.publication(&e)
	case envelope.Joined:
		t.joined(&e)
	case envelope.Gap:
		t.gap(&e)
	case envelope.Left:
		t.left(&e)
	case envelope.Receipt:
		if t.cfg.Receipt != nil {
			t.cfg.Receipt(Receipt{idOf(e.ID), string(e.User), e.State, Refusal{e.Code, string(e.Reason)}, e.Taken})
		}
	case envelope.Presence:
		t.presence(&e)
	default:
		m.Nack(envelope.CodeMalformed, "a node does not send that")
	}
}

// Receipt is what became of a message after its Outcome.
type Receipt struct {
	ID      ID             // Number is what Send returned, if Sender and Incarnation are this Talk's
	To      string         // the user, if the node says so
	State   envelope.State // envelope.Delivered, Refused or Expired
	Refusal                // of Refused
	At      time.Time      // the node's clock; zero if it does not say
}
