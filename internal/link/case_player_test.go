package link

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A step is one call of the link. What the call needs comes first, and then what it brings: Out is
// what is to be done, Result what the call returned, State and Deadline what the link says after it.
type step struct {
	At      float64  `json:"at"`
	Do      string   `json:"do"`
	Attempt uint32   `json:"attempt,omitempty"`
	Bytes   string   `json:"bytes,omitempty"` // received
	Says    string   `json:"says,omitempty"`  // the frames in Bytes, for people
	Body    string   `json:"body,omitempty"`  // send, request, post, reply
	Token   string   `json:"token,omitempty"` // connected, renew
	Fault   string   `json:"fault,omitempty"` // disconnected: peer or host
	First   uint64   `json:"first,omitempty"` // ack
	Last    uint64   `json:"last,omitempty"`  // ack
	What    uint8    `json:"what,omitempty"`  // ack
	Number  uint64   `json:"number,omitempty"`
	Code    uint16   `json:"code,omitempty"` // nack
	Reason  string   `json:"reason,omitempty"`
	Size    int      `json:"size,omitempty"` // pace, most: of a body
	Untaken int      `json:"untaken,omitempty"`
	Taken   int64    `json:"taken,omitempty"`
	Partial int      `json:"partial,omitempty"`
	Out     []effect `json:"out,omitempty"`

	Result   any      `json:"result,omitempty"`
	State    string   `json:"state"`
	Deadline *float64 `json:"deadline"` // null: nothing is waited for
}

// inputs is the step before it is played.
func (s *step) inputs() *step {
	c := *s
	c.Out, c.Result, c.State, c.Deadline = nil, nil, "", nil
	return &c
}

// effect is an action; of do "tell" it is an event, with the fields that its kind has.
type effect map[string]any

// player carries steps out on a link.
type player struct {
	t    testing.TB
	l    Link
	out  Out
	flow Flow // of every connection
}

// caseIncarnation and caseNumber make the incarnation that all cases have.
const caseIncarnation, caseNumber = 5, 17

func newPlayer(t testing.TB, c *caseConfig) *player {
	t.Helper()
	cfg := Config{
		ID:          func(uint64) string { return c.ID },
		Incarnation: caseIncarnation, Endpoints: c.Endpoints, IgnoreAlternates: c.IgnoreAlternates,
		Interval: fromMillis(c.Interval), PongTimeout: fromMillis(c.PongTimeout),
		AtMostOnce: c.AtMostOnce, NeverGiveUp: c.NeverGiveUp, FreshTokens: c.FreshTokens,
	}
	cfg.Fill()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	p := &player{t: t}
	p.l.Init(&cfg, caseNumber, c.Seed)
	if got := fmt.Sprintf("%016x", p.l.Info().Incarnation); got != c.Incarnation {
		t.Fatalf("the incarnation is %s, the case has %s", got, c.Incarnation)
	}
	return p
}

// play makes the call of a step and notes what comes of it.
func (p *player) play(s *step) {
	p.t.Helper()
	now := fromMillis(s.At)
	s.Result = p.call(now, s)
	for i := range p.out.Actions {
		s.Out = append(s.Out, effectOf(p.t, &p.out.Actions[i]))
	}
	p.out.Reset()
	s.State = p.l.State().String()
	if d := p.l.Deadline(); d != Never {
		ms := toMillis(d)
		s.Deadline = &ms
	}
}

// call returns what is to be compared, through JSON: numbers are float64.
func (p *player) call(now time.Duration, s *step) any {
	p.t.Helper()
	l, out, body := &p.l, &p.out, []byte(s.Body)
	switch s.Do {
	case "start":
		l.Start(now, out)
	case "resolved": // the token is there
		l.Resolved(now, s.Attempt, nil)
	case "connected":
		l.Connected(now, s.Attempt, []byte(s.Token), out)
	case "received": // all that is consumed at once, and the rest again
		return p.received(now, s)
	case "disconnected":
		cause := errors.New("gone")
		if s.Fault == "host" {
			cause = &FaultError{FaultHost, cause}
		}
		l.Disconnected(now, s.Attempt, cause, out)
	case "flow": // from here on, of all connections; tick tells it where the link asks
		p.flow = Flow{Untaken: s.Untaken, Taken: s.Taken, Partial: s.Partial}
		p.tellFlow(now, false)
	case "tick":
		p.tellFlow(now, true)
		l.Tick(now, out)
	case "network":
		l.NetworkChanged(now, out)
	case "ask":
		l.Ping(now, out)
	case "stop":
		l.Stop(now, out)
	case "send":
		return sendResult(l.Send(now, body, out))
	case "request":
		return sendResult(l.Request(now, body, out))
	case "post":
		return sendResult(0, l.Post(now, body, out))
	case "pace":
		return toMillis(l.Pace(now, s.Size))
	case "give_up":
		return l.GiveUp(now, s.Number, out)
	case "ack":
		return l.Ack(now, s.Attempt, codec.AckMessage{Range: codec.Range{First: s.First, Last: s.Last}, What: s.What}, out)
	case "nack":
		ok, err := l.Nack(now, s.Attempt, &codec.NackMessage{Number: s.Number, Code: codec.NackCode(s.Code), Reason: []byte(s.Reason)}, out)
		return ok && err == nil
	case "reply":
		return l.Reply(now, s.Attempt, s.Number, body, out)
	case "renew":
		if err := l.Renew(now, s.Attempt, []byte(s.Token), out); err != nil {
			p.t.Fatal(err)
		}
	case "info":
		return p.info()
	default:
		p.t.Fatalf("no such step: %s", s.Do)
	}
	return nil
}

func (p *player) received(now time.Duration, s *step) any {
	b, err := hex.DecodeString(s.Bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	consumed := 0
	for {
		n, need := p.l.Received(now, s.Attempt, b[consumed:], &p.out)
		consumed += n
		if len(b)-consumed < need {
			return map[string]any{"consumed": float64(consumed), "need": float64(need)}
		}
	}
}

func (p *player) tellFlow(now time.Duration, asked bool) {
	for i := range p.l.conns {
		if a := p.l.conns[i].attempt; a != 0 && (!asked || p.l.Asks(now, a)) {
			p.l.Flow(now, a, p.flow)
		}
	}
}

func (p *player) info() any {
	i := p.l.Info()
	m := map[string]any{
		"endpoint": i.Endpoint, "node": i.Node, "session": i.Session.String(), "rtt": toMillis(i.RTT),
		"dials": float64(i.Dials), "sessions": float64(i.Sessions), "losses": float64(i.Losses),
		"pings": float64(i.Pings), "pongs": float64(i.Pongs), "unsettled": float64(i.Unsettled),
		"moving": i.Moving, "refused": i.Refused,
		"connect_timeout": toMillis(i.ConnectTimeout), "welcome_timeout": toMillis(i.WelcomeTimeout),
	}
	if i.NextAttempt != Never {
		m["next_attempt"] = toMillis(i.NextAttempt)
	}
	return m
}

// sendResult is the number, or why nothing was sent.
func sendResult(number uint64, err error) any {
	switch {
	case err == nil:
		return float64(number)
	case errors.Is(err, ErrNotReady):
		return "not ready"
	case errors.Is(err, ErrPaced):
		return "paced"
	case errors.Is(err, ErrFull):
		return "full"
	case errors.Is(err, ErrTooLarge):
		return "too large"
	}
	return err.Error()
}

func effectOf(t testing.TB, a *Action) effect {
	switch a.Op {
	case Dial:
		return effect{"do": "dial", "attempt": float64(a.Attempt), "addr": a.Addr}
	case Write:
		return effect{"do": "write", "attempt": float64(a.Attempt), "bytes": hex.EncodeToString(a.Data), "says": says(t, a.Data)}
	case Close:
		return effect{"do": "close", "attempt": float64(a.Attempt)}
	default:
		return eventEffect(t, &a.Event)
	}
}

// says names the frames in b.
func says(t testing.TB, b []byte) string {
	var names []string
	for len(b) > 0 {
		f, size, err := codec.Decode(b, codec.MaxPayload)
		if err != nil {
			return strings.Join(append(names, "(part)"), " ") // or garbage, where a case wants that
		}
		names = append(names, f.Type.String())
		b = b[size:]
	}
	return strings.Join(names, " ")
}

func fromMillis(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

func toMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
