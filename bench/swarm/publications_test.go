package swarm

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// TestEachPublicationIsDeliveredOrMissing tells the story of one client second by second. One is
// due at every full second of its clock, which began at 100 s of the other.
func TestEachPublicationIsDeliveredOrMissing(t *testing.T) {
	const epoch = 100
	type step struct {
		at  time.Duration // milliseconds
		do  func(l *loop)
		got uint64 // instead: this publication comes, that of so many seconds
	}
	ready, lost, leave := func(l *loop) { l.beginReceiving(0) }, func(l *loop) { l.endReceiving(0) }, func(l *loop) { l.stopReceiving(0) }
	closed := func(l *loop) { l.closed, l.closedAt = true, l.now; l.closeReceiving() }
	for _, tt := range []struct {
		name  string
		steps []step
		want  tally.Messages // at the end; Awaited is as of just before it
	}{
		{"all come", []step{{500, ready, 0}, {1005, nil, 1}, {2005, nil, 2}, {2500, closed, 0}}, tally.Messages{Delivered: 2}},
		{"one that was due before the WELCOME comes", []step{{1010, ready, 0}, {1020, nil, 1}, {2005, nil, 2}, {2500, closed, 0}}, tally.Messages{Delivered: 2}},
		{"it need not come", []step{{1010, ready, 0}, {2005, nil, 2}, {2500, closed, 0}}, tally.Messages{Delivered: 1}},
		{"one comes twice", []step{{500, ready, 0}, {1005, nil, 1}, {1006, nil, 1}, {1500, closed, 0}}, tally.Messages{Delivered: 1, Doubled: 1}},
		{"one is missing in between", []step{{500, ready, 0}, {1005, nil, 1}, {3005, nil, 3}, {3500, closed, 0}}, tally.Messages{Delivered: 2, Undelivered: 1}},
		{"the first is missing", []step{{500, ready, 0}, {2005, nil, 2}, {2500, closed, 0}}, tally.Messages{Delivered: 1, Undelivered: 1}},
		{"none comes", []step{{500, ready, 0}, {2500, closed, 0}}, tally.Messages{Undelivered: 2, Awaited: 1}},
		{"the last comes after the count is closed", []step{{500, ready, 0}, {1001, closed, 0}, {1300, nil, 1}}, tally.Messages{Delivered: 1}},
		{"what is due after that counts for nothing", []step{{500, ready, 0}, {900, closed, 0}, {1300, nil, 1}}, tally.Messages{}},
		{"a session ends before it comes", []step{{500, ready, 0}, {2500, lost, 0}, {2600, ready, 0}, {3005, nil, 3}, {3500, closed, 0}}, tally.Messages{Delivered: 1, Undelivered: 2}},
		{"offline", []step{{500, ready, 0}, {600, lost, 0}, {2600, ready, 0}, {3005, nil, 3}, {3500, closed, 0}}, tally.Messages{Delivered: 1, Undelivered: 2, Offline: 2}},
		{"offline to the end", []step{{500, ready, 0}, {600, lost, 0}, {3500, closed, 0}}, tally.Messages{Undelivered: 3, Offline: 3}},
		{"lost after the count is closed", []step{{500, ready, 0}, {1100, closed, 0}, {2200, lost, 0}}, tally.Messages{Undelivered: 1}},
		{"back after the count is closed", []step{{500, ready, 0}, {600, lost, 0}, {1100, closed, 0}, {1200, ready, 0}, {1300, nil, 1}}, tally.Messages{Delivered: 1}},
		{"what is under way when a client leaves", []step{{500, ready, 0}, {1100, leave, 0}, {1150, ready, 0}, {2005, nil, 2}, {2500, closed, 0}}, tally.Messages{Delivered: 1}},
		{"what it waited for in vain", []step{{500, ready, 0}, {2500, leave, 0}, {2600, ready, 0}, {2700, closed, 0}}, tally.Messages{Undelivered: 1}},
		{"one that never was there", []step{{2500, closed, 0}}, tally.Messages{}},
	} {
		s := &Swarm{schedule: payload.Schedule(time.Second), epoch: epoch * time.Second, started: time.Now()}
		l := &loop{swarm: s, receivers: make([]receiver, 1), deliveries: tally.NewHist(), recent: tally.NewRecent()}
		for _, st := range tt.steps {
			l.now = st.at * time.Millisecond
			l.heard = l.now
			if st.do != nil {
				st.do(l)
				continue
			}
			body := make([]byte, payload.HeaderLen)
			payload.Put(body, s.schedule.Publication(epoch+st.got))
			l.received(0, body)
		}
		awaited := l.counted.Messages.Awaited
		l.lastReceived()
		n := l.counted.Messages
		if n.Awaited = awaited; n != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, n, tt.want)
		}
		if took := l.deliveries.Count(); took != n.Delivered+n.Undelivered-n.Offline {
			t.Errorf("%s: %d latencies of %+v", tt.name, took, n)
		}
	}
}

func TestWhatIsNoPublicationOfTheRunCountsForNothing(t *testing.T) {
	s := &Swarm{schedule: payload.Schedule(time.Second), started: time.Now()}
	l := &loop{swarm: s, receivers: make([]receiver, 1), deliveries: tally.NewHist(), recent: tally.NewRecent(), now: time.Second / 2}
	l.beginReceiving(0)
	for _, m := range []payload.Message{{Kind: payload.Sent, Number: 1, Due: time.Second}, {Kind: payload.Publication, Number: 1, Due: 2 * time.Second}} {
		body := make([]byte, 100)
		payload.Put(body, m)
		l.received(0, body)
	}
	l.received(0, []byte("hello"))
	if n := l.counted.Messages; n != (tally.Messages{}) {
		t.Errorf("%+v", n)
	}
}
