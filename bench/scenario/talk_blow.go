package scenario

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// talkAct is what befalls nodes, and how long after they began to talk; 0: it does not.
type talkAct struct {
	after  time.Duration
	strike func(context.Context) error
}

// strikeTalk has befall the nodes what was asked for, one after the other, while users talk. Who is struck is started again with
// its store, and its users go to the other nodes meanwhile, or wait for it.
func (s *Stage) strikeTalk(ctx context.Context, from time.Duration) error {
	acts := []talkAct{{s.KillAfter, s.killTalk}, {s.SplitAfter, s.splitTalk}, {s.DrainAfter, s.drainTalk}}
	slices.SortStableFunc(acts, func(a, b talkAct) int { return cmp.Compare(a.after, b.after) })
	for _, act := range acts {
		if act.after == 0 {
			continue
		}
		if err := s.passUntil(ctx, from+act.after); err != nil {
			return err
		}
		if err := act.strike(ctx); err != nil {
			return err
		}
	}
	return nil
}

// during is a part of the talk of its own, after which that goes on until a moment of the clients' clock.
func (s *Stage) during(part string, strike func() error) error {
	s.Enter(part, 0)
	if err := strike(); err != nil {
		return err
	}
	s.Enter("talk", 0)
	return nil
}

// killTalk is kill -9 of the first node, which is the storm of the run.
func (s *Stage) killTalk(ctx context.Context) error {
	victim := s.Servers.Nodes[0]
	on := s.Clients.On(victim.Addr)
	s.Servers.Sample(ctx)
	s.Clients.BeginStorm(victim.Addr)
	s.Note(result.EventKill, victim.Name, fmt.Sprintf("node %s is killed, with %d clients", victim.Name, on))
	if err := s.Servers.Kill(victim); err != nil {
		return fmt.Errorf("kill node %s: %w", victim.Name, err)
	}
	s.noneLeft()
	s.Say("kill -9 of node %s (pid %d) with %d clients, and %d messages under way", victim.Name, victim.PID, on, s.underWay())
	return s.againLater(ctx, victim)
}

// drainTalk is SIGTERM to the first node, which is the storm of the run if there was no kill, and to all others if they are
// restarted one after the other.
func (s *Stage) drainTalk(ctx context.Context) error {
	if !s.Rolling {
		return s.drainOne(ctx, s.Servers.Nodes[0])
	}
	return s.during(partRolling, func() error {
		for _, n := range slices.Clone(s.Servers.Nodes) {
			if err := s.drainOne(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// drainOne returns when the node has ended and is there again.
func (s *Stage) drainOne(ctx context.Context, n *nodes.Node) error {
	on, asked := s.Clients.On(n.Addr), s.Clients.Now()
	_, struck := s.Clients.StormAt()
	var err error
	if struck {
		err = s.askToEnd(n, on)
	} else {
		n, on, asked, err = s.terminate(ctx)
	}
	if err != nil {
		return err
	}
	s.Say("SIGTERM to node %s with %d clients, and %d messages under way", n.Name, on, s.underWay())
	if err := s.awaitEnd(ctx, n, max(s.RecoveryTimeout, drainEnd)); err != nil {
		return err
	}
	took := s.Clients.Now() - asked
	if !struck {
		s.Drained = &took
	}
	s.noneLeft()
	s.Say("it has ended after %.1f s", took.Seconds())
	return s.againLater(ctx, n)
}

// againLater starts a node that has ended when it has been away for a while.
func (s *Stage) againLater(ctx context.Context, n *nodes.Node) error {
	if err := s.pass(ctx, s.RestartAfter); err != nil {
		return err
	}
	t0, _ := s.Clients.StormAt()
	return s.startAgain(ctx, t0, n)
}

// splitTalk has no node hear another for a while.
func (s *Stage) splitTalk(ctx context.Context) error {
	heal, err := s.Servers.Split()
	if err != nil {
		return err
	}
	defer heal()
	over := s.Note(result.EventCut, "", "no node hears another")
	defer over()
	s.Say("a split: for %v no node hears another, with %d messages under way", s.SplitFor, s.underWay())
	return s.during(partSplit, func() error {
		if err := s.pass(ctx, s.SplitFor); err != nil {
			return err
		}
		if err := heal(); err != nil {
			return err
		}
		over()
		s.Say("the split is over, with %d messages under way", s.underWay())
		return nil
	})
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
