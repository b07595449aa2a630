package messaging

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// A node that was frozen refuses nothing for its own sleep: devices and the store have their time when it is awake.
func TestSleepIsNobodysDelay(t *testing.T) {
	h, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	sh := &h.shards[0]
	sh.mu.Lock()
	u := sh.get("bob")
	told := make(map[string]Result)
	add := func(what string, at time.Duration) {
		e := &entry{user: u, at: at, id: ID{Sender: what, Incarnation: 1, Number: 1}}
		e.wait(waiter{told: func(o Outcome) { told[what] = o.Result }})
		sh.recent.add("bob", e.id, e, at)
		sh.ages.add(e)
	}
	add("before", time.Second)
	add("after", 31*time.Second) // before anybody notices the sleep
	sh.mu.Unlock()
	p := pulse{time.Second}
	if slept := p.slept(1700 * time.Millisecond); slept != 0 {
		t.Errorf("a tick that is a little late is taken for a sleep of %v", slept)
	}
	now := 31500 * time.Millisecond
	slept := p.slept(now)
	if want := now - 1950*time.Millisecond; slept != want {
		t.Errorf("a sleep of %v, want %v", slept, want)
	}
	sh.excuse(now, slept)
	sh.grow(now)
	sh.grow(now + answerTime - time.Second)
	if len(told) != 0 {
		t.Errorf("told %v at once", told)
	}
	sh.mu.Lock()
	sh.recent.forget(now + time.Second)
	first, _ := sh.recent.find("bob", ID{Sender: "before", Incarnation: 1, Number: 1})
	sh.mu.Unlock()
	if first == nil {
		t.Error("a copy of what is under way would be another message")
	}
	sh.grow(now + answerTime + putTime)
	if told["before"] != Refused || told["after"] != Refused {
		t.Errorf("told %v in the end, want both refused", told)
	}
	q := &h.says
	for _, at := range []time.Duration{time.Second, 31 * time.Second} {
		q.add(&say{token: uint64(at), room: "tea", at: at, told: func(envelope.Position, *Refusal) {}})
	}
	q.excuse(now, slept)
	if a, b := q.rooms["tea"].list[0].at, q.rooms["tea"].list[1].at; a != time.Second+slept || b != now {
		t.Errorf("what a room is to say came at %v and %v, want %v and %v", a, b, time.Second+slept, now)
	}
}
