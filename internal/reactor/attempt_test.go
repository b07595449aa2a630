package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// hail says HELLO for an attempt of an incarnation, with the pass of an earlier session.
func (n *node) hail(incarnation uint64, attempt uint32, pass []byte) (timingwheel.ID, *peer) {
	n.t.Helper()
	slot, p := n.dial()
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice"),
		Incarnation: incarnation, Attempt: attempt, ReturnPass: pass})
	if err != nil {
		n.t.Fatal(err)
	}
	n.send(slot, b)
	return slot, p
}

// passOf is the return pass of a session's WELCOME.
func passOf(t *testing.T, p *peer) []byte {
	t.Helper()
	m, err := codec.ParseWelcome(frames(t, p.in)[0].Payload)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(nil), m.ReturnPass...)
}

// A HELLO of an older attempt, whatever pass it shows, leaves the newer session alone and is ended
// itself; a newer attempt and another process take the place.
func TestAnOlderAttemptDisplacesNobody(t *testing.T) {
	var told []uint32
	n := newNode(t, rigConfig{Handler: handler{Opened: func(s *caller) { told = append(told, s.Attempt()) }}})
	slot, p := n.hail(7, 5, nil)
	own := passOf(t, p)
	_, late := n.hail(7, 4, own)
	n.runClosings()
	if n.r.sessions.at(slot).state != stateReady {
		t.Fatal("an older attempt, read late, has displaced a newer one")
	}
	if code := goAwayCode(t, late); code != codec.CodeSuperseded {
		t.Errorf("an older attempt is told %v", code)
	}
	n.hail(7, 6, own)
	n.runClosings()
	if p.closed || p.aborted {
		t.Error("there is no time for what is on its way")
	}
	n.run(2*time.Second + n.r.cfg.Tick)
	if !p.aborted {
		t.Error("a newer attempt does not displace an older one")
	}
	other, q := n.hail(8, 9, nil)
	n.hail(9, 1, passOf(t, q))
	n.runClosings()
	if n.r.sessions.at(other).state == stateReady {
		t.Error("another process with its pass does not displace")
	}
	if len(told) != 4 || told[0] != 5 || told[1] != 6 {
		t.Errorf("Opened was told the attempts %v", told)
	}
}

// Who is refused, or gone, or who goes before WELCOME has reached it, displaces nobody.
func TestWhoIsNotWelcomedDisplacesNobody(t *testing.T) {
	for name, come := range map[string]func(n *node, own []byte){
		"FIN with HELLO": func(n *node, own []byte) {
			slot, p := n.dial()
			p.left = true
			b, _ := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice"), Incarnation: 7, Attempt: 6, ReturnPass: own})
			n.r.receive(n.now, slot, b)
		},
		"refused": func(n *node, own []byte) {
			n.r.asker = asks(func() {})
			slot, _ := n.hail(7, 6, own)
			n.r.authenticated(Answer{Handle: n.r.Handle(slot), Why: ReasonUnauthorized})
		},
		"FIN during the check": func(n *node, own []byte) {
			n.r.asker = asks(func() {})
			slot, p := n.hail(7, 6, own)
			p.left = true
			n.r.authenticated(Answer{Handle: n.r.Handle(slot)})
		},
		"RST before WELCOME": func(n *node, own []byte) {
			slot, p := n.dial()
			p.reset = true
			b, _ := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice"), Incarnation: 7, Attempt: 6, ReturnPass: own})
			n.r.receive(n.now, slot, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			opened, closed := 0, 0
			n := newNode(t, rigConfig{Handler: handler{Opened: func(*caller) { opened++ }, Closed: func(*caller, Reason) { closed++ }}})
			slot, p := n.hail(7, 5, nil)
			come(n, passOf(t, p))
			n.runClosings()
			if n.r.sessions.at(slot).state != stateReady || opened != 1 || closed != 0 {
				t.Errorf("the session was displaced by nobody; opened %d times, closed %d", opened, closed)
			}
		})
	}
}
