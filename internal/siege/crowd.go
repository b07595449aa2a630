package siege

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// CrowdSize is how many clients of a crowd stay; newcomers are one at a time beside them.
const CrowdSize = 50

// beat is how often each of them speaks.
const beat = 100 * time.Millisecond

// Crowd are well-behaved clients, from an address of their own: each speaks ten times a second
// and wants an answer, and newcomers join, speak and leave one after the other.
type Crowd struct {
	target *Target
	stop   chan struct{}
	wg     sync.WaitGroup

	mu        sync.Mutex // guards what follows
	trips     []time.Duration
	lost      []string
	newcomers int
}

// Gather returns a crowd when all have joined, or could not. Who gathers it calls Leave.
func Gather(ctx context.Context, t *Target) *Crowd {
	c := &Crowd{target: t, stop: make(chan struct{})}
	var ready sync.WaitGroup
	for i := range CrowdSize {
		ready.Add(1)
		c.wg.Go(func() {
			p, err := t.come(ctx, "good")
			ready.Done()
			defer p.Close()
			if err == nil {
				err = c.live(p, time.Duration(i)*beat/CrowdSize)
			}
			c.report("client", p.ID, err)
		})
	}
	ready.Wait()
	c.wg.Go(func() { c.arrive(ctx) })
	return c
}

func (c *Crowd) report(what, id string, err error) {
	if err != nil {
		c.mu.Lock()
		c.lost = append(c.lost, fmt.Sprintf("%s %s: %v", what, id, err))
		c.mu.Unlock()
	}
}

// live pings at its beat. A round trip begins when its PING was due.
func (c *Crowd) live(p *Peer, offset time.Duration) error {
	due := time.Now().Add(offset)
	for token := uint64(1); ; token++ {
		select {
		case <-c.stop:
			return nil
		case <-time.After(time.Until(due)):
		}
		if err := p.ping(token); err != nil {
			return err
		}
		c.mu.Lock()
		c.trips = append(c.trips, time.Since(due))
		c.mu.Unlock()
		if due = due.Add(beat); time.Until(due) < -time.Second {
			due = time.Now() // the test itself was too slow
		}
	}
}

// ping waits for the answer.
func (p *Peer) ping(token uint64) error {
	p.SetDeadline(time.Now().Add(p.target.patience()))
	if _, err := p.Write(codec.AppendPing(nil, token, 0)); err != nil {
		return err
	}
	for {
		f, err := p.Next()
		if err != nil {
			return err
		}
		m, err := codec.ParsePong(f.Payload)
		if f.Type != codec.Pong || err != nil {
			return fmt.Errorf("got %v", f.Type)
		}
		if m.Token == token {
			return nil
		}
	}
}

// arrive joins, speaks and leaves, again and again.
func (c *Crowd) arrive(ctx context.Context) {
	pause := time.NewTicker(beat / 2)
	defer pause.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-pause.C:
		}
		p, err := c.target.come(ctx, "new")
		if err == nil {
			err = p.visit()
		}
		c.report("newcomer", p.ID, err)
		p.Close()
		c.mu.Lock()
		c.newcomers++
		c.mu.Unlock()
	}
}

// come has a well-behaved client join. Through a stage it comes again, as clients do, when it is sent
// away before it has a session: on a busy machine a handshake may take longer than a node waits for it.
func (t *Target) come(ctx context.Context, kind string) (*Peer, error) {
	for began := time.Now(); ; {
		p := t.Peer(kind)
		err := p.JoinBy(ctx, home)
		late := p.Away.Code == 0 || p.Away.Code == codec.CodeHelloTimeout || p.Away.Code == codec.CodeBusy
		if err == nil || t.Stage == nil || !late || ctx.Err() != nil || time.Since(began) > t.patience() {
			return p, err
		}
		p.Close()
		time.Sleep(beat)
	}
}

// visit is what a newcomer does that has joined.
func (p *Peer) visit() error {
	if _, err := p.Write(codec.AppendSend(nil, 1, []byte("hello"))); err != nil {
		return err
	}
	err := errors.Join(p.Want(codec.Deliver), p.Want(codec.Ack))
	p.Write(codec.AppendBye(nil))
	return err
}

// Leave ends the crowd and tells how it fared. It is called once.
func (c *Crowd) Leave() Fared {
	close(c.stop)
	c.wg.Wait()
	slices.Sort(c.trips)
	f := Fared{Trips: len(c.trips), Newcomers: c.newcomers, Lost: c.lost}
	if f.Trips > 0 {
		at := func(share float64) time.Duration { return c.trips[int(float64(f.Trips-1)*share)] }
		f.P50, f.P99, f.Max = at(.5), at(.99), at(1)
	}
	return f
}

// Fared is how a crowd fared.
type Fared struct {
	Trips         int           // PINGs that were answered
	P50, P99, Max time.Duration // of what that took, from when the PING was due
	Newcomers     int
	Lost          []string // a sentence each: who it was and what became of it
}

// String is one line for people.
func (f Fared) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d round trips of %d clients, p50 %v p99 %v max %v; %d newcomers",
		f.Trips, CrowdSize, round(f.P50), round(f.P99), round(f.Max), f.Newcomers)
}

// Fault says what no crowd should meet, whatever enemies are beside it and however busy the machine
// is; it is nil if all is well.
func (f Fared) Fault() error {
	switch {
	case len(f.Lost) > 0:
		return fmt.Errorf("%d well-behaved clients were lost: %.500q", len(f.Lost), f.Lost)
	case f.Trips == 0:
		return errors.New("no well-behaved client had an answer")
	}
	return nil
}

// Slow says whether a crowd waited longer than it should on a machine that does nothing else; it is
// nil if not. The limits are a hundred times what an idle machine takes, since the enemies share
// its cores with the crowd.
func (f Fared) Slow() error {
	if f.P50 > 200*time.Millisecond || f.P99 > 2*time.Second {
		return fmt.Errorf("well-behaved clients waited: %v", f)
	}
	return nil
}
