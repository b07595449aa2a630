package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/talk"
	"golang.org/x/term"
)

// Exit codes of connect --chat, beside exitError and exitUsage.
const (
	exitNoSession = 3 // no node gave a session
	exitRefused   = 4 // a message was refused, or a line of the input could not be done
	exitUnsettled = 5 // nobody knows what became of a message
)

// chatError is why connect --chat ends, with the code that says so.
type chatError struct {
	code int
	err  error
}

func (e *chatError) Error() string { return e.err.Error() }
func (e *chatError) Unwrap() error { return e.err }

// ExitCode is one of those above.
func (e *chatError) ExitCode() int { return e.code }

// The pace of a chat's messages, below the rate that a node allows a user unless told otherwise.
const (
	chatRate  = 50
	chatBurst = 200
)

// place is who hears what is typed: a user, or all in a room.
type place struct{ user, room string }

// outgoing is a message that waits for the sender.
type outgoing struct {
	place
	text string
	at   time.Time // deliver it then; zero: now
}

// chat is the messenger: lines and commands on one side, a Talk on the other.
type chat struct {
	id     string
	term   *terminal // counts, and tells the story of the connection
	talk   *talk.Talk
	input  chatInput
	json   bool
	past   *history
	queue  chan outgoing
	failed atomic.Int64                // lines that could not be done
	lost   atomic.Int64                // messages of which nobody knows what became
	more   func(context.Context) error // the next page of the latest list; the reader's

	mu       sync.Mutex
	to       place
	turned   []place         // where it was turned before, and to, each once, latest last
	rooms    map[string]bool // that were asked for: whether they are joined
	sent     map[uint64]outgoing
	early    map[uint64]talk.Outcome // told before the sender knew the number
	names    map[string]bool         // users that were heard of, for completion
	away     string                  // what is answered; "": present
	answered map[string]bool         // who has got that answer
	refused  error                   // why every node refuses
	node     string                  // that was shown
}

// The most that a chat remembers; beyond it, it forgets at random.
const (
	maxTicks = 4096 // messages without their second tick
	maxNames = 4096
	maxTurns = 16
)

func newChat(id string, asJSON bool) *chat {
	return &chat{id: id, json: asJSON, term: newTerminal(os.Stdout, time.Now), queue: make(chan outgoing, 64),
		rooms: make(map[string]bool), sent: make(map[uint64]outgoing), early: make(map[uint64]talk.Outcome),
		names: make(map[string]bool), answered: make(map[string]bool)}
}

// runChat is connect --chat.
func (c *connectCmd) runChat(cfg client.Config, named bool) error {
	ch := newChat(c.ID, c.JSON)
	if c.To != nil {
		ch.turn(place{user: *c.To})
	}
	if c.Room != nil {
		ch.turn(place{room: *c.Room})
	}
	cfg.StateChange = ch.changed
	var err error
	ch.talk, err = talk.New(talk.Config{Client: cfg, Message: ch.message, Publication: ch.publication, Joined: ch.joined,
		Missed: ch.missed, Left: ch.left, Settled: ch.settled, Receipt: ch.receipt})
	if err != nil {
		return asUsage(err)
	}
	path := ""
	if c.History && named && term.IsTerminal(int(os.Stdin.Fd())) { // what a script says is its own to keep
		path = historyPath(c.ID)
	}
	if ch.past, err = openHistory(path); err != nil {
		ch.note("the history is not kept: %s", printable(err.Error()))
	}
	defer ch.past.close()
	if ch.input, err = ch.newInput(); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return ch.run(c.hint)
}

// run lasts until the input or the connection ends.
func (c *chat) run(hint func(error) string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), leaving()...)
	defer cancel()
	go c.send(ctx)
	read := make(chan error, 1)
	go func() {
		read <- c.read(ctx)
		_ = c.talk.Close() // always nil
	}()
	go func() {
		select {
		case <-c.term.gone:
			_ = c.talk.Close() // always nil
		case <-ctx.Done():
		}
	}()
	err := c.talk.Run(ctx)
	stopped := ctx.Err() != nil
	cancel()
	c.input.close()
	if c.input.interactive() {
		<-read // the terminal is as it was
		read <- nil
	}
	if stopped {
		return c.interrupted()
	}
	if err := c.term.unseen(); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.mu.Lock()
	refused := c.refused
	c.mu.Unlock()
	if err = cmp.Or(err, refused); err != nil {
		return &chatError{exitNoSession, fmt.Errorf("connect: %w%s", err, hint(err))}
	}
	return <-read // Close came from there
}

// interrupted is the end by a signal: a way to leave, but for a script that waits for what it sent.
func (c *chat) interrupted() error {
	if n := c.unsettled(); n > 0 && !c.input.interactive() {
		return &chatError{exitUnsettled, fmt.Errorf("connect: interrupted: nobody knows what became of %d of %d messages", n, c.term.typed.Load())}
	}
	return nil
}

// unsettled counts the messages that wait for their outcome.
func (c *chat) unsettled() int64 {
	return c.term.typed.Load() - c.term.acked.Load() - c.term.refused.Load() - c.lost.Load()
}

// send sends what was typed, in order, each as soon as there is a session that takes it.
func (c *chat) send(ctx context.Context) {
	pace := pacer{every: time.Second / chatRate, burst: chatBurst}
	for {
		select {
		case m := <-c.queue:
			select {
			case <-time.After(pace.wait(time.Now())):
			case <-ctx.Done():
				return
			}
			c.sendOne(ctx, m)
		case <-ctx.Done():
			return
		}
	}
}

func (c *chat) sendOne(ctx context.Context, m outgoing) {
	var number uint64
	var err error
	if m.room != "" {
		number, err = c.talk.Publish(ctx, m.room, []byte(m.text))
	} else {
		number, err = c.talk.Send(ctx, m.user, []byte(m.text), talk.Options{At: m.at})
	}
	switch {
	case errors.Is(err, client.ErrClosed) || ctx.Err() != nil:
		return
	case err != nil: // nothing was sent
		c.outcome(0, m, talk.Outcome{State: talk.Refused, Refusal: talk.Refusal{Reason: err.Error()}, To: cmp.Or(m.room, m.user)})
		return
	}
	c.term.sent.Add(1)
	c.mu.Lock()
	o, told := c.early[number]
	delete(c.early, number)
	if !told {
		c.sent[number] = m
	}
	c.mu.Unlock()
	if told {
		c.outcome(number, m, o)
	}
}

// read handles the input until it ends, or somebody leaves.
func (c *chat) read(ctx context.Context) error {
	if room := c.to.room; room != "" { // before there is anybody else to change it
		if err := c.joinRoom(ctx, room); err != nil {
			return &chatError{exitNoSession, fmt.Errorf("connect: %w", err)}
		}
	}
	for {
		line, err := c.input.line()
		switch {
		case errors.Is(err, errLeft):
			return c.drain(ctx)
		case err != nil:
			return errors.Join(c.drain(ctx), fmt.Errorf("connect: standard input: %w", err))
		case ctx.Err() != nil:
			return nil
		}
		switch err := c.handle(ctx, line); {
		case errors.Is(err, errLeft):
			return c.drain(ctx)
		case errors.Is(err, errLeftAtOnce):
			return nil
		case errors.As(err, new(*chatError)):
			return err
		case err != nil:
			c.failed.Add(1)
			c.emit(chatEvent{Event: "error", Reason: err.Error()})
		}
	}
}

// drain waits until all that was typed is settled, and words what went wrong.
func (c *chat) drain(ctx context.Context) error {
	if n := c.unsettled(); n > 0 && c.input.interactive() {
		c.note("waiting for %d messages; Ctrl-C leaves without them", n)
	}
	settled := func(i client.Info) bool { return i.Sessions > 0 && c.unsettled() <= 0 }
	if c.input.interactive() {
		settled = func(client.Info) bool { return c.unsettled() <= 0 }
	}
	if c.wait(ctx, settled) {
		return c.verdict()
	}
	if ctx.Err() != nil {
		return nil
	}
	if i := c.talk.Client().Info(); i.Sessions == 0 {
		return &chatError{exitNoSession, fmt.Errorf("%w; %d messages were not sent", neverConnected(i), c.unsettled())}
	}
	return &chatError{exitUnsettled, fmt.Errorf("connect: %d of %d messages were not acknowledged within %v", c.unsettled(), c.term.typed.Load(), drainTime)}
}

// verdict judges a whole input. At a terminal everything has been said.
func (c *chat) verdict() error {
	refused, failed, lost := c.term.refused.Load(), c.failed.Load(), c.lost.Load()
	switch {
	case c.input.interactive():
		return nil
	case lost > 0:
		return &chatError{exitUnsettled, fmt.Errorf("connect: nobody knows what became of %d of %d messages", lost, c.term.typed.Load())}
	case refused > 0:
		return &chatError{exitRefused, fmt.Errorf("connect: %d of %d messages were refused", refused, c.term.typed.Load())}
	case failed > 0:
		return &chatError{exitRefused, fmt.Errorf("connect: %d lines could not be done", failed)}
	}
	return nil
}

// wait waits until something is so, for drainTime at most.
func (c *chat) wait(ctx context.Context, so func(client.Info) bool) bool {
	deadline := time.NewTimer(drainTime)
	defer deadline.Stop()
	for !so(c.talk.Client().Info()) {
		select {
		case <-c.term.news:
		case <-deadline.C:
			return so(c.talk.Client().Info())
		case <-ctx.Done():
			return false
		}
	}
	return true
}
