package reactor

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// desk is an asker that keeps what it was asked.
type desk struct {
	renewals []Renewal
	full     bool
}

func (d *desk) Ask(uint64, *codec.HelloMessage, netip.Addr) bool { return true }

func (d *desk) Renew(q Renewal) bool {
	if d.full {
		return false
	}
	q.ClientID, q.Token = bytes.Clone(q.ClientID), bytes.Clone(q.Token)
	d.renewals = append(d.renewals, q)
	return true
}

// granted is a session that may last so long, zero for ever, at a node with a desk.

func granted(t *testing.T, cfg rigConfig, left time.Duration) (n *node, slot Slot, p *peer, d *desk) {
	t.Helper()
	n, d = newNode(t, cfg), &desk{}
	n.r.asker = d
	slot, p = n.grant("alice", left, nil)
	return n, slot, p, d
}

// grant welcomes a client and returns its session, whose WELCOME it has swallowed.

func (n *node) grant(id string, left time.Duration, limits *Limits) (Slot, *peer) {
	n.t.Helper()
	slot, p := n.dial()
	n.send(slot, hello(id))
	a := Answer{Handle: n.r.Handle(slot), Limits: limits}
	if left != 0 {
		a.Expires = n.r.wall().Add(left)
	}
	n.r.authenticated(a)
	if w, _ := answer(n.t, p); w.Expires != left {
		n.t.Fatalf("WELCOME tells that it ends in %v, want %v", w.Expires, left)
	}
	p.in, p.writes = nil, 0
	return slot, p
}

func renewal(t testing.TB, number uint64, token string) []byte {
	t.Helper()
	b, err := codec.AppendRenewal(nil, number, 1, []byte(token))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pongs are those that a peer was sent, which it forgets.

func pongs(t testing.TB, p *peer) (all []codec.PongMessage) {
	t.Helper()
	for _, f := range frames(t, p.in) {
		if f.Type == codec.Pong {
			m, err := codec.ParsePong(f.Payload)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	p.in = nil
	return all
}

// live sends heartbeats for a while, until the session ends.

func (n *node) live(slot Slot, p *peer, d time.Duration) (all []codec.PongMessage) {
	for end := n.now + d; n.now < end && !p.finished && !p.closed && !p.aborted; {
		n.run(min(10*time.Second, end-n.now))
		if !p.finished && !p.closed && !p.aborted {
			n.send(slot, codec.AppendPing(nil, 1, 1))
		}
	}
	if !p.finished {
		all = pongs(n.t, p)
	}
	return all
}

func (n *node) answerTo(q Renewal, why Reason, left time.Duration) {
	a := Answer{Handle: q.Handle, Check: q.Check, Why: why}
	if left != 0 {
		a.Expires = n.r.wall().Add(left)
	}
	n.r.authenticated(a)
}

func TestAGoodTokenMovesTheEndOfTheSession(t *testing.T) {
	n, slot, p, d := granted(t, rigConfig{}, 5*time.Minute)
	n.live(slot, p, 4*time.Minute)
	n.send(slot, renewal(t, 7, "second"))
	if got := pongs(t, p); len(got) != 1 || got[0].Token != 7 || got[0].Expires != 0 {
		t.Fatalf("the PING is answered by %+v, want its PONG at once, which tells no end", got)
	}
	if len(d.renewals) != 1 || string(d.renewals[0].Token) != "second" || string(d.renewals[0].ClientID) != "alice" || d.renewals[0].Handle != n.r.Handle(slot) {
		t.Fatalf("checked %+v, want the token once", d.renewals)
	}
	n.answerTo(d.renewals[0], ReasonNone, 5*time.Minute)
	if got := pongs(t, p); len(got) != 1 || got[0].Token != 0 || got[0].Expires != 5*time.Minute || got[0].Terms != n.r.terms {
		t.Fatalf("it is confirmed by %+v, want a PONG that nobody asked for, with the end and the terms", got)
	}
	for _, m := range n.live(slot, p, 290*time.Second) {
		if m.Expires != 0 {
			t.Errorf("a later PONG tells the end again: %v", m.Expires)
		}
	}
	if p.finished || n.r.counters.Renewed != 1 {
		t.Fatalf("ended %v, %d renewed", p.finished, n.r.counters.Renewed)
	}
	n.live(slot, p, 20*time.Second)
	n.wantClosed(ReasonTokenExpired, 1)
}

func TestAShorterGrantAndOneWithoutEndTakeThePlaceOfTheOld(t *testing.T) {
	n, slot, p, d := granted(t, rigConfig{}, time.Hour)
	n.send(slot, renewal(t, 1, "shorter"))
	n.answerTo(d.renewals[0], ReasonNone, time.Minute)
	n.live(slot, p, 70*time.Second)
	n.wantClosed(ReasonTokenExpired, 1)

	n, slot, p, d = granted(t, rigConfig{}, time.Minute)
	n.send(slot, renewal(t, 1, "for ever"))
	p.in = nil
	n.answerTo(d.renewals[0], ReasonNone, 0)
	if got := pongs(t, p); len(got) != 1 || got[0].Expires != codec.NeverExpires {
		t.Errorf("told %+v, want that it never ends", got)
	}
	if n.live(slot, p, time.Hour); p.finished || n.r.extras.used-extraRef(len(n.r.extras.free)) != 0 {
		t.Errorf("ended %v; a session without an end keeps something apart", p.finished)
	}
	n.send(slot, renewal(t, 1, "again"))
	if len(d.renewals) != 1 {
		t.Error("a token is checked though there is nothing to renew")
	}
}

// What is refused, or fails, leaves the old end, and tells nothing.

func TestATokenThatIsNotGoodChangesNothing(t *testing.T) {
	for _, why := range []Reason{ReasonUnauthorized, ReasonTokenExpired, ReasonBusy, ReasonInternal, ReasonInUse, ReasonNone} {
		n, slot, p, d := granted(t, rigConfig{}, 5*time.Minute)
		n.live(slot, p, 4*time.Minute)
		n.send(slot, renewal(t, 1, "bad"))
		p.in = nil
		left := time.Hour
		if why == ReasonNone {
			left = -time.Second // good, until a second ago
		}
		n.answerTo(d.renewals[0], why, left)
		if len(p.in) != 0 || n.r.counters.NotRenewed != 1 || n.r.counters.Renewed != 0 {
			t.Errorf("%v: told %v; %d are counted as not renewed", why, frameTypes(t, p.in), n.r.counters.NotRenewed)
		}
		if n.live(slot, p, 50*time.Second); p.finished {
			t.Errorf("%v: ended before the old end", why)
		}
		n.live(slot, p, 20*time.Second)
		n.wantClosed(ReasonTokenExpired, 1)
	}
}

// A client that floods with tokens has one checked at a time, and one a second; as PINGs they cost

// its rate.

func TestTokensAreCheckedOneAtATime(t *testing.T) {
	n, slot, p, d := granted(t, rigConfig{MaxFrameRate: 100}, time.Hour)
	flood := func(size int) {
		var b []byte
		for i := range size {
			b = append(b, renewal(t, uint64(i+1), fmt.Sprint("token ", i))...)
		}
		n.send(slot, b)
	}
	flood(10)
	n.run(time.Second)
	flood(10)
	if len(d.renewals) != 1 || string(d.renewals[0].Token) != "token 0" {
		t.Fatalf("%d tokens are checked at a time", len(d.renewals))
	}
	n.answerTo(d.renewals[0], ReasonUnauthorized, 0)
	flood(10)
	if len(d.renewals) != 2 {
		t.Fatalf("%d tokens checked, want another, a second after the first was", len(d.renewals))
	}
	n.answerTo(d.renewals[1], ReasonUnauthorized, 0)
	flood(10)
	n.run(900 * time.Millisecond)
	flood(10)
	if len(d.renewals) != 2 {
		t.Fatal("another is checked within the second")
	}
	if flood(1000); !p.finished {
		t.Fatal("a flood of tokens costs no rate")
	}
	n.wantClosed(ReasonRateLimit, 1)
}

// An authenticator that hangs holds up the next token for as long as a check may take, and what it

// says after that is of no account.

func TestACheckThatHangsIsOverWhenItsTimeIs(t *testing.T) {
	n, slot, p, d := granted(t, rigConfig{}, time.Minute)
	n.send(slot, renewal(t, 1, "first"))
	n.run(n.r.cfg.AuthTimeout - n.r.cfg.Tick)
	n.send(slot, renewal(t, 1, "too early"))
	if len(d.renewals) != 1 {
		t.Fatal("another is checked while one is")
	}
	n.run(2 * n.r.cfg.Tick)
	n.send(slot, renewal(t, 1, "second"))
	if len(d.renewals) != 2 {
		t.Fatalf("%d checked, want the second after the time of the first", len(d.renewals))
	}
	p.in = nil
	n.answerTo(d.renewals[0], ReasonNone, time.Hour)
	if len(p.in) != 0 || n.r.counters.Stale != 1 {
		t.Fatalf("the late answer is told: %v", frameTypes(t, p.in))
	}
	defer func() {
		n.run(2 * time.Second)
		n.send(slot, renewal(t, 1, "third"))
		n.run(n.r.cfg.AuthTimeout)
		p.in = nil
		if n.answerTo(d.renewals[2], ReasonNone, time.Hour); len(p.in) != 0 || n.r.counters.Stale != 3 {
			t.Errorf("an answer after its time is told, though no other check has begun: %v", frameTypes(t, p.in))
		}
	}()
	n.answerTo(d.renewals[1], ReasonNone, 2*time.Minute)
	n.answerTo(d.renewals[1], ReasonNone, time.Hour) // no answer counts twice
	if got := pongs(t, p); len(got) != 1 || got[0].Expires != 2*time.Minute {
		t.Fatalf("told %+v, want the answer to the second once", got)
	}
}

func TestWhatTheDeskHasNoRoomForIsAskedAgainASecondLater(t *testing.T) {
	n, slot, _, d := granted(t, rigConfig{}, time.Hour)
	d.full = true
	n.send(slot, renewal(t, 1, "first"))
	d.full = false
	n.send(slot, renewal(t, 1, "second"))
	if len(d.renewals) != 0 || n.r.counters.NotRenewed != 1 {
		t.Fatalf("%d checked and %d counted as not renewed, right after there was no room", len(d.renewals), n.r.counters.NotRenewed)
	}
	n.run(time.Second)
	n.send(slot, renewal(t, 1, "third"))
	if len(d.renewals) != 1 {
		t.Error("not checked a second later")
	}
}

func TestATokenIsForNobodyWithoutAnythingToRenew(t *testing.T) {
	n, slot, p, d := granted(t, rigConfig{}, 0)
	n.send(slot, renewal(t, 1, "x"))
	open := newNode(t, rigConfig{})
	everybody, q := open.join()
	open.send(everybody, renewal(t, 1, "x"))
	if len(d.renewals) != 0 || len(pongs(t, p)) != 1 || len(pongs(t, q)) != 1 {
		t.Error("a token is checked of a session that has no end, or its PING is not answered")
	}
	n, slot, p, d = granted(t, rigConfig{}, time.Hour)
	n.send(slot, codec.AppendFrame(nil, codec.Ping, 0, append(make([]byte, 12), 2, 0, 0)))
	if len(d.renewals) != 0 || p.finished {
		t.Error("an empty token is checked, or ends the session")
	}
	n.send(slot, codec.AppendFrame(nil, codec.Ping, 0, append(make([]byte, 12), 2, 0, 5, 1)))
	n.wantClosed(ReasonBadPayload, 1)
}

// The wheel may not have come to it yet: a grant that has ended is not renewed.

func TestATokenThatComesAfterTheEndIsTooLate(t *testing.T) {
	n, slot, p, d := granted(t, rigConfig{Timeout: 10 * time.Minute}, time.Minute)
	n.now += time.Minute
	n.send(slot, renewal(t, 1, "late"))
	if code := goAwayCode(t, p); code != codec.CodeTokenExpired || len(d.renewals) != 0 {
		t.Errorf("%v, %d tokens checked; want token_expired and none", code, len(d.renewals))
	}
}

// A check may end when its session has, and the slot may be another's by then.

func TestAnAnswerIsForNobodyElse(t *testing.T) {
	n, slot, _, d := granted(t, rigConfig{}, time.Hour)
	n.send(slot, renewal(t, 1, "x"))
	n.r.Closed(slot, ReasonPeerReset)
	for range 100 {
		next, p := n.grant("bob", time.Minute, nil)
		n.send(next, renewal(t, 1, "y"))
		p.in = nil
		n.answerTo(d.renewals[0], ReasonNone, 2*time.Hour)
		if len(p.in) > 0 {
			t.Fatalf("bob is told %v", frameTypes(t, p.in))
		}
		n.r.Closed(next, ReasonPeerReset)
	}
	if n.r.counters.Renewed != 0 || n.r.counters.Stale != 100 {
		t.Errorf("%d renewed, %d stale", n.r.counters.Renewed, n.r.counters.Stale)
	}
}

// While the peer does not read, the end waits with the PONG, which keeps the token that it answers.

// A session without an end may be given one, without an authenticator too.

// A node that nobody asks has no cost of what nobody uses.
