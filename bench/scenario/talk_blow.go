package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// strikeTalk strikes the first node while users talk, and starts it again with its store. The users go to the other
// node meanwhile, or wait for it.
func (s *Stage) strikeTalk(ctx context.Context, from time.Duration) error {
	if s.SplitAfter > 0 {
		return s.splitTalk(ctx, from)
	}
	if !s.storms() {
		return nil
	}
	if err := s.passUntil(ctx, from+max(s.KillAfter, s.DrainAfter)); err != nil {
		return err
	}
	victim, err := s.blowWhileTalking(ctx)
	if err != nil {
		return err
	}
	t0, _ := s.Clients.StormAt()
	if err := s.pass(ctx, s.RestartAfter); err != nil {
		return err
	}
	if err := s.startAgain(ctx, t0, victim); err != nil || !s.Rolling {
		return err
	}
	return s.rollOn(ctx, t0)
}

// rollOn has all nodes but the first do what that one did, one after the other.
func (s *Stage) rollOn(ctx context.Context, t0 time.Duration) error {
	for i := 1; i < len(s.Servers.Nodes); i++ {
		n := s.Servers.Nodes[i]
		on, asked := s.Clients.On(n.Addr), s.Clients.Now()
		if err := s.askToEnd(n, on); err != nil {
			return err
		}
		s.Say("SIGTERM to node %s with %d clients, and %d messages under way", n.Name, on, s.underWay())
		if err := s.awaitEnd(ctx, n, max(s.RecoveryTimeout, drainEnd)); err != nil {
			return err
		}
		s.Say("it has ended after %.1f s", (s.Clients.Now() - asked).Seconds())
		if err := s.pass(ctx, s.RestartAfter); err != nil {
			return err
		}
		if err := s.startAgain(ctx, t0, n); err != nil {
			return err
		}
	}
	return nil
}

// splitTalk has no node hear another for a while.
func (s *Stage) splitTalk(ctx context.Context, from time.Duration) error {
	if err := s.passUntil(ctx, from+s.SplitAfter); err != nil {
		return err
	}
	heal, err := s.Servers.Split()
	if err != nil {
		return err
	}
	defer heal()
	over := s.Note(result.EventCut, "", "no node hears another")
	defer over()
	s.Say("a split: for %v no node hears another, with %d messages under way", s.SplitFor, s.underWay())
	if err := s.pass(ctx, s.SplitFor); err != nil {
		return err
	}
	if err := heal(); err != nil {
		return err
	}
	over()
	s.Say("the split is over, with %d messages under way", s.underWay())
	return nil
}

// blowWhileTalking returns when the node has ended.
func (s *Stage) blowWhileTalking(ctx context.Context) (*nodes.Node, error) {
	if s.DrainAfter > 0 {
		victim, on, t0, err := s.terminate(ctx)
		if err != nil {
			return victim, err
		}
		s.Say("SIGTERM to node %s with %d clients, and %d messages under way", victim.Name, on, s.underWay())
		if err := s.awaitEnd(ctx, victim, max(s.RecoveryTimeout, drainEnd)); err != nil {
			return victim, err
		}
		s.Drained = new(s.Clients.Now() - t0)
		s.noneLeft()
		s.Say("it has ended after %.1f s", s.Drained.Seconds())
		return victim, nil
	}
	victim := s.Servers.Nodes[0]
	on := s.Clients.On(victim.Addr)
	s.Servers.Sample(ctx)
	s.Clients.BeginStorm(victim.Addr)
	s.Note(result.EventKill, victim.Name, fmt.Sprintf("node %s is killed, with %d clients", victim.Name, on))
	if err := s.Servers.Kill(victim); err != nil {
		return victim, fmt.Errorf("kill node %s: %w", victim.Name, err)
	}
	s.noneLeft()
	s.Say("kill -9 of node %s (pid %d) with %d clients, and %d messages under way", victim.Name, victim.PID, on, s.underWay())
	return victim, nil
}

// underWay is how many messages have gone out and are not answered.
func (s *Stage) underWay() int {
	n := s.Clients.Counts()
	return n.Messages.Waiting()
}

// How long nothing may arrive before the wait is over: for what is safe, and for receipts, what was held, and what may
// lie at the other node.
const (
	arrivalPatience = 10 * time.Second
	arrivalSlack    = 2 * time.Second
	arrivalPoll     = 100 * time.Millisecond
)

// mostMoves bounds how often users go from one node to the other for what lies there.
const mostMoves = 3

// closeLedger waits until each message is answered, and until each that is safe has arrived. What lies at a node where
// its addressee is not arrives when that one comes: so all users go from node to node until nothing is left.
func (s *Stage) closeLedger(ctx context.Context) error {
	s.Enter("ledger", s.RecoveryTimeout)
	settled, err := s.until(ctx, s.RecoveryTimeout, func() bool {
		n := s.Clients.Counts()
		return n.StormBack >= n.StormClients && s.Clients.Owing() == 0
	})
	switch {
	case err != nil:
		return err
	case !settled:
		s.Say("not every message is answered, or not everybody is back: the wait is over")
	default:
		s.Say("every message is answered")
	}
	s.Clients.Hear()
	s.Clients.EndStorm()
	r, err := s.arrive(ctx)
	for move := 0; err == nil && settled && s.storms() && len(s.Servers.Nodes) == 2 && move < mostMoves; move++ {
		if r.Lost == 0 && (move > 0 || r.Unconfirmed == 0) {
			break
		}
		if err = s.moveAll(ctx, r); err == nil {
			r, err = s.arrive(ctx)
		}
	}
	if err != nil {
		return err
	}
	s.tellLedger(r)
	return nil
}

// arrive waits until nothing that is safe is missing, as long as more of it comes. Whether senders know of it, receipts
// tell, which are messages themselves; and what was held in memory may come or not.
func (s *Stage) arrive(ctx context.Context) (r tally.Reconciled, err error) {
	r = s.Clients.Reconcile()
	for since := s.Clients.Now(); r.Lost+r.HeldLost+r.Unconfirmed > 0; {
		patience := arrivalPatience
		if r.Lost == 0 || s.storms() && len(s.Servers.Nodes) == 2 { // a move may bring it
			patience = arrivalSlack
		}
		if s.Clients.Now()-since > patience {
			break
		}
		if err := s.pass(ctx, arrivalPoll); err != nil {
			return r, err
		}
		now := s.Clients.Reconcile()
		if now != r {
			since = s.Clients.Now()
		}
		r = now
	}
	return r, nil
}

// moveAll drains the node at which most users are, so that they go to the other, and starts it again.
func (s *Stage) moveAll(ctx context.Context, r tally.Reconciled) error {
	from, to := s.Servers.Nodes[0], s.Servers.Nodes[1]
	if s.Clients.On(to.Addr) > s.Clients.On(from.Addr) {
		from, to = to, from
	}
	s.Say("%d messages and %d receipts have not come: SIGTERM to node %s, so that all go to %s and get what lies there", r.Lost, r.Unconfirmed, from.Name, to.Name)
	if err := s.askToEnd(from, s.Clients.On(from.Addr)); err != nil {
		return err
	}
	if err := s.awaitEnd(ctx, from, max(s.RecoveryTimeout, drainEnd)); err != nil {
		return err
	}
	t0, _ := s.Clients.StormAt()
	if err := s.startAgain(ctx, t0, from); err != nil {
		return err
	}
	_, err := s.until(ctx, s.RecoveryTimeout, func() bool { return s.Clients.Ready() >= s.Conns })
	return err
}

// tellLedger says how it stands.
func (s *Stage) tellLedger(r tally.Reconciled) {
	m := s.Clients.Counts().Messages
	s.Say("the ledger: %d sent, %d acknowledged (%d durable and %d held first), %d refused; %d lost, and %d of those that were held",
		m.Sent, m.Acknowledged, m.Durable, m.Held, m.Refused, r.Lost, r.HeldLost)
}
