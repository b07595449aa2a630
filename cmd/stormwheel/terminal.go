package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// terminal is what connect shows. What comes from the network is shown escaped: it could
// drive the terminal otherwise.
type terminal struct {
	now   func() time.Time
	begun time.Time

	typed, sent, acked, refused, received atomic.Int64  // messages
	news                                  chan struct{} // holds one: a message was settled, or the state changed

	mu   sync.Mutex // guards what follows: the reader and the client's callbacks write
	out  io.Writer
	err  error         // why out takes no more
	gone chan struct{} // closed with err

	// Owned by the client's callbacks.
	sessions uint32    // those that were shown
	losses   uint32    // of them, those that were lost
	moving   bool      // the node wants the client to move, and that was shown
	node     string    // of the latest session
	lost     time.Time // when it ended; zero while it lives
	attempt  uint32    // the latest whose failure was shown
	quiet    *time.Timer
}

func newTerminal(out io.Writer, now func() time.Time) *terminal {
	return &terminal{now: now, begun: now(), out: out,
		gone: make(chan struct{}), news: make(chan struct{}, 1)}
}

// print writes whole lines, until the first that cannot be written.
func (t *terminal) print(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	if _, t.err = fmt.Fprintf(t.out, format+"\n", args...); t.err != nil {
		close(t.gone)
	}
}

// unseen is why nothing is shown any more, or nil.
func (t *terminal) unseen() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// say tells what happened, and when.
func (t *terminal) say(format string, args ...any) {
	t.print("%s * %s", t.now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
}

func (t *terminal) arrived(m client.Message) {
	t.received.Add(1)
	t.print("< %s", printable(string(m.Body)))
}

func (t *terminal) settled(number uint64, o client.Outcome) {
	switch {
	case o.Err == nil:
		t.acked.Add(1)
	case errors.Is(o.Err, client.ErrClosed): // connect leaves
		return
	default:
		t.refused.Add(1)
		t.say("your message %d: %s", number, reason(o.Err))
	}
	t.tell()
}

// tell wakes whoever waits for news.
func (t *terminal) tell() {
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// changed tells the story of the connection: found, lost, failed, back.
func (t *terminal) changed(i client.Info) {
	defer t.tell()
	t.listen(i)
	switch {
	case i.State == client.Ready:
		t.ready(i)
	case i.State == client.BackingOff && i.Dials != t.attempt:
		t.attempt = i.Dials
		next := "trying again " + when(i.NextAttempt.Sub(t.now()))
		if refusedForGood(i) {
			next = "giving up"
		}
		if t.sessions == 0 || !t.lost.IsZero() {
			t.say("no session at %s: %s; %s", i.Endpoint, reason(i.LastError), next)
			return
		}
		t.lost = t.now()
		t.say("lost %s: %s; %s", t.node, reason(i.LastError), next)
		if n := t.sent.Load() - t.acked.Load() - t.refused.Load(); n > 0 {
			t.say("%d of your messages may or may not have arrived: they are sent again", n)
		}
	}
}

// quietTime is how long a peer may say nothing before that is told.
const quietTime = 2 * time.Second

// listen tells of a peer that takes the connection and says nothing, before the first session.
func (t *terminal) listen(i client.Info) {
	if t.quiet != nil {
		t.quiet.Stop()
		t.quiet = nil
	}
	if i.State == client.Handshaking && i.Sessions == 0 {
		t.quiet = time.AfterFunc(quietTime, func() { t.say("%s takes the connection and says nothing: is it a node?", i.Endpoint) })
	}
}

// refusedForGood is when connect leaves: who waits at a terminal does not wait for that to change.
func refusedForGood(i client.Info) bool { return i.Refused && i.Sessions == 0 }

func (t *terminal) ready(i client.Info) {
	if i.Moving && !t.moving {
		t.say("%s asks this client to move; connecting to another one first", t.node) // it drains, or moves this one
	}
	t.moving = i.Moving
	if i.Sessions == t.sessions {
		return
	}
	first, moved := t.sessions == 0, t.lost.IsZero() && i.Losses == t.losses
	t.sessions, t.losses = i.Sessions, i.Losses
	t.node = fmt.Sprintf("node %s at %s", printable(i.Node), i.Endpoint)
	switch {
	case first:
		t.say("connected to %s", t.node)
	case moved:
		t.say("moved to %s without a gap", t.node)
	case t.lost.IsZero(): // it went by too fast to be seen
		t.say("back on %s", t.node)
	default:
		t.say("back on %s after %s away", t.node, seconds(t.now().Sub(t.lost)))
	}
	t.lost = time.Time{}
}

// showInfo answers :info.
func (t *terminal) showInfo(i client.Info) {
	state := i.State.String()
	switch i.State {
	case client.Ready:
		state += " for " + seconds(t.now().Sub(i.ReadySince))
	case client.BackingOff:
		state += ", next attempt " + when(i.NextAttempt.Sub(t.now()))
	}
	node, session, rtt := "-", "-", "-"
	if i.State == client.Ready {
		node, session = printable(i.Node), i.Session
	}
	if i.State == client.Ready && i.RTT > 0 {
		rtt = fmt.Sprintf("%.2f ms", float64(i.RTT)/float64(time.Millisecond))
	}
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("state", "%s", state)
	line("node", "%s", node)
	if i.State != client.Ready && i.Sessions > 0 {
		line("last node", "%s", printable(i.Node))
	}
	line("endpoint", "%s", i.Endpoint)
	line("session", "%s", session)
	line("rtt", "%s", rtt)
	line("heartbeats", "%d sent, %d answered, at least one every %v", i.Pings, i.Pongs, i.Heartbeat)
	line("messages", "%d sent, %d acknowledged, %d received", t.sent.Load(), t.acked.Load(), t.received.Load())
	line("unsettled", "%d, %d refused", i.Unsettled, t.refused.Load())
	line("reconnects", "%d", max(i.Sessions, 1)-1)
	if i.LastError != nil {
		line("last error", "%s", reason(i.LastError))
	}
	line("uptime", "%s", seconds(t.now().Sub(t.begun)))
	t.print("%s", strings.TrimSuffix(b.String(), "\n"))
}

// reason words an error, which may hold a server's words.
func reason(err error) string {
	if errors.Is(err, io.EOF) {
		return "the connection was closed"
	}
	return printable(strings.TrimPrefix(err.Error(), "client: ")) + meaning(err)
}

// meaning says what a refusal tells of the node that made it, if it is that.
func meaning(err error) string {
	var sent *client.CodeError
	var refused *client.RefusedError
	switch {
	case errors.As(err, &sent) && sent.Code == codec.CodeProtocolError && sent.Reason == "bad_magic": // frames have none that is wrong
		return "; it speaks no WebSocket: try HOST:PORT alone"
	case errors.As(err, &refused) && refused.Code == envelope.CodeMalformed:
		return "; this node carries messages between users: use --chat"
	}
	return ""
}

// printable returns s if every rune of it can be shown, and s quoted otherwise.
func printable(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return strconv.Quote(s)
		}
	}
	return s
}

// when says how soon d is.
func when(d time.Duration) string {
	if d < 50*time.Millisecond {
		return "at once"
	}
	return "in " + seconds(d)
}

// seconds rounds to what a person reads.
func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(100 * time.Millisecond).String()
	}
}
