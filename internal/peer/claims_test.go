package peer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestLaterLoginEndsTheEarlier(t *testing.T) {
	for _, c := range []struct {
		before, now uint64
		want        codec.Code
	}{
		{1, 2, codec.CodeReplaced}, {1, 1, codec.CodeSuperseded}, {0, 0, codec.CodeReplaced}, {0, 1, codec.CodeReplaced}, {1, 0, codec.CodeReplaced},
	} {
		w := newWorld(t, 1)
		h := w.cluster(3, Config{Replace: true})
		old := h[0].open("x", c.before, 0)
		w.run(20 * time.Millisecond)
		late := h[1].open("x", c.now, 0)
		w.run(20 * time.Millisecond)
		if !old.ended || old.code != c.want || late.ended {
			t.Errorf("incarnations %d, %d: ended %v with %v, and the later %v; want %v", c.before, c.now, old.ended, old.code, late.ended, c.want)
		}
		w.run(time.Second)
		w.check(map[string][]*login{"x": {old, late}})
	}
}

func TestWithoutReplaceNobodyEnds(t *testing.T) {
	w := newWorld(t, 2)
	h := w.cluster(2, Config{})
	a, b := h[0].open("x", 1, 0), h[1].open("x", 2, 0)
	w.run(time.Second)
	if a.ended || b.ended || len(h[0].views["b"]) != 1 || len(h[1].views["a"]) != 1 {
		t.Error("both should stay, and be told of")
	}
}

// Two nodes take the same client at the same moment: neither has heard of the other. A thousand times, also
// with equal stamps.
func TestTwoLoginsInOneMillisecond(t *testing.T) {
	w := newWorld(t, 3)
	h := w.cluster(3, Config{Replace: true})
	for i := range 1000 {
		id := fmt.Sprint("c", i)
		if i%2 == 0 { // the same number and time: the epoch tells
			h[0].m.number, h[1].m.number = 9, 9
			both := max(h[0].m.clock, h[1].m.clock) + 5
			h[0].m.clock, h[1].m.clock = both, both
		}
		all := map[string][]*login{id: {h[0].open(id, 1, 0), h[1].open(id, 2, 0)}}
		if i%2 == 0 && all[id][0].stamp != all[id][1].stamp {
			t.Fatal("the stamps differ")
		}
		w.run(100 * time.Millisecond)
		w.checkOne(all)
		if i%100 == 0 {
			w.check(all)
		}
	}
	if got := h[0].m.Stats().Again + h[1].m.Stats().Again; got < 1000 {
		t.Errorf("%d logins were claimed again, want 1000 at least", got)
	}
}

// A claim that the bus loses is asked for when the next number shows it missing, at the latest a second
// later by the announcement.
func TestClaimLostOnTheBus(t *testing.T) {
	for _, another := range []bool{true, false} {
		w := newWorld(t, 4)
		h := w.cluster(3, Config{Replace: true})
		old := h[0].open("x", 1, 0)
		w.run(20 * time.Millisecond)
		w.lose = func(_ *host, s Subject, data []byte) bool { return s == All }
		late := h[1].open("x", 2, 0)
		w.run(5 * time.Millisecond)
		w.lose = nil
		if old.ended {
			t.Fatal("it was heard of")
		}
		if another {
			h[1].open("y", 2, 0)
			w.run(50 * time.Millisecond)
		} else {
			w.run(1100 * time.Millisecond)
		}
		if !old.ended {
			t.Errorf("another %v: the old session goes on", another)
		}
		w.check(map[string][]*login{"x": {old, late}})
		if s := h[0].m.Stats(); s.ClaimsLost != 1 || s.Asked != 1 {
			t.Errorf("%d lost, %d asked", s.ClaimsLost, s.Asked)
		}
	}
}

// The loser's node may not hear of the later claim for long; the node that has it tells again, as soon as
// it sees the earlier one.
func TestEarlierClaimIsAnsweredByTheLater(t *testing.T) {
	w := newWorld(t, 5)
	h := w.cluster(2, Config{Replace: true})
	h[1].open("x", 1, 0)
	w.run(50 * time.Millisecond)
	earlier := session{id: "x", user: "x", stamp: 5 << numberBits}
	from := w.start(Config{Node: "z", Replace: true})
	w.run(50 * time.Millisecond)
	got := 0
	w.trace = func(to *host, a Action) {
		if to == from && a.Op == End {
			got++
		}
	}
	from.sessions[77] = &login{h: from, id: "x", stamp: earlier.stamp}
	earlier.handle = 77
	from.m.table.add(earlier)
	msg := from.out.begin(kindClaims, from.m)
	from.out.data = appendClaims(from.out.data, 9, appendRecord(nil, recordLogin, &earlier)) // not in its place, either
	h[1].receive(from.out.data[msg:])
	w.run(5 * time.Millisecond)
	if got != 1 {
		t.Errorf("the earlier session was ended %d times", got)
	}
}

func TestStampIsAboveWhatTheClientKnows(t *testing.T) {
	w := newWorld(t, 6)
	h := w.cluster(2, Config{})
	h[0].skew = 3_600_000
	first := h[0].open("x", 1, 0)
	if again := h[1].open("x", 1, first.stamp); again.stamp <= first.stamp {
		t.Errorf("%x after %x", again.stamp, first.stamp)
	}
	w.run(50 * time.Millisecond)
	if other := h[1].open("y", 1, 0); other.stamp <= first.stamp { // it was seen
		t.Errorf("%x after %x", other.stamp, first.stamp)
	}
	h[1].skew = -3_600_000
	last := h[1].open("z", 1, 0)
	if next := h[1].open("z", 1, 0); next.stamp>>numberBits != last.stamp>>numberBits+1 {
		t.Errorf("%x after %x in one ms", next.stamp, last.stamp)
	}
	if got := h[1].open("far", 1, ^uint64(0)); got.stamp>>numberBits > 1<<45 || got.stamp < last.stamp {
		t.Errorf("a stamp that nobody gave has moved the clock to %x", got.stamp)
	}
}

// An announcement is enough to be behind nobody.
func TestClockOfAnnouncements(t *testing.T) {
	w := newWorld(t, 12)
	h := w.cluster(2, Config{})
	h[0].skew = 3_600_000
	w.run(1100 * time.Millisecond)
	if got, want := h[1].open("x", 1, 0).stamp>>numberBits, uint64(h[0].time().Wall-1100); got < want {
		t.Errorf("a stamp of %d, and another clock was %d before", got, want)
	}
}

// Many earlier logins at once are answered in messages of the usual size.
func TestManyEarlierClaims(t *testing.T) {
	w := newWorld(t, 13)
	h := w.cluster(2, Config{Replace: true})
	long := strings.Repeat("u", maxText)
	var records []byte
	for i := range 2000 {
		id := fmt.Sprint("c", i)
		h[0].m.Open(h[0].time(), Session{ID: id, User: long, Handle: uint64(i)}, &h[0].out)
		records = appendRecord(records, recordLogin, &session{id: id, stamp: 1 << 20})
	}
	h[0].obey()
	count := 0
	w.trace = func(_ *host, a Action) {
		if a.Op == Publish && a.Subject == To && kind(a.Data[1]) == kindAgain {
			count++
			if len(a.Data) > sealBytes+maxRecord+headerLen+MaxNode {
				t.Errorf("a message of %d bytes", len(a.Data))
			}
		}
	}
	h[0].receive(appendClaims(appendHeader(nil, kindClaims, h[1].cfg.Epoch, "b"), 1, records))
	if got := h[0].m.Stats().Again; got != 2000 || count < 8 {
		t.Errorf("%d were told again in %d messages", got, count)
	}
}

// What comes twice is told once.
func TestDoubledClaimsAreToldOnce(t *testing.T) {
	w := newWorld(t, 14)
	h := w.cluster(2, Config{})
	told := 0
	w.trace = func(to *host, a Action) {
		if to == h[0] && a.Op == Login {
			told++
		}
	}
	head := appendHeader(nil, kindClaims, h[1].cfg.Epoch, "b")
	one := appendRecord(nil, recordLogin, &session{id: "x", stamp: 1 << 30})
	two := appendRecord(bytes.Clone(one), recordLogin, &session{id: "y", stamp: 2 << 30})
	for _, records := range [][]byte{one, one, two, two} {
		h[0].receive(appendClaims(bytes.Clone(head), 1, records))
	}
	if told != 2 {
		t.Errorf("told %d times", told)
	}
}

// A clock that is put an hour ahead or back does not decide who stays: the later login does.
func TestClockJumps(t *testing.T) {
	for _, jump := range []int64{3_600_000, -3_600_000} {
		w := newWorld(t, 7)
		h := w.cluster(2, Config{Replace: true})
		h[0].skew = jump
		w.run(2 * time.Second)
		var all []*login
		for i := range 20 {
			all = append(all, h[i%2].open("x", uint64(i+1), 0))
			w.run(30 * time.Millisecond)
			for _, l := range all[:i] {
				if !l.ended {
					t.Errorf("jump %d: login %x stays", jump, l.stamp)
				}
			}
			if all[i].ended {
				t.Errorf("jump %d: the latest was ended", jump)
			}
		}
		w.run(time.Second)
		w.check(map[string][]*login{"x": all})
	}
}

func TestClaimsWaitForOthers(t *testing.T) {
	w := newWorld(t, 8)
	h := w.cluster(2, Config{})
	w.sent[All] = 0
	for i := range 100 {
		h[0].open(fmt.Sprint(i), 1, 0)
	}
	if h[0].m.Quiet() {
		t.Error("nothing waits")
	}
	if w.run(time.Millisecond); w.sent[All] != 1 || !h[0].m.Quiet() {
		t.Errorf("%d messages, want 1", w.sent[All])
	}
	for i := range 3000 { // more than a message should have
		h[0].open(fmt.Sprint("more", i), 1, 0)
	}
	if w.sent[All] < 2 {
		t.Error("64 KiB wait")
	}
	w.run(10 * time.Millisecond)
	if len(h[1].views["a"]) != 3100 {
		t.Errorf("%d are known", len(h[1].views["a"]))
	}
}

func TestHubsHearWhatWasClaimedFirst(t *testing.T) {
	w := newWorld(t, 9)
	h := w.cluster(3, Config{})
	var seen []string
	w.trace = func(to *host, a Action) {
		if to == h[1] && (a.Op == Login || a.Op == Message) {
			seen = append(seen, a.Op.String())
		}
	}
	h[0].open("x", 1, 0)
	if !h[0].m.Send(h[0].time(), "b", []byte("one"), &h[0].out) || !h[0].m.SendAll(h[0].time(), []byte("two"), &h[0].out) {
		t.Fatal("not sent")
	}
	h[0].obey()
	w.run(10 * time.Millisecond)
	if want := []string{"login", "message", "message"}; !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
	if want := []string{"a:one", "a:two"}; !slices.Equal(h[1].hub, want) || !slices.Equal(h[2].hub, want[1:]) {
		t.Errorf("%q and %q", h[1].hub, h[2].hub)
	}
	if h[0].m.Send(h[0].time(), "nobody", nil, &h[0].out) || h[0].m.Send(h[0].time(), "b", make([]byte, MaxBody+1), &h[0].out) ||
		h[0].m.SendAll(h[0].time(), make([]byte, MaxBody+1), &h[0].out) {
		t.Error("sent to nobody, or too much")
	}
	if big := h[0].m.AppendMessage(nil, To, make([]byte, MaxBody)); len(big) > MaxMessage {
		t.Errorf("a message has %d bytes", len(big))
	}
	if len(h[0].out.Actions) != 0 {
		t.Errorf("%v", h[0].out.Actions)
	}
}

func TestLoneNodeSaysNothingOfLogins(t *testing.T) {
	w := newWorld(t, 10)
	h := w.start(Config{Node: "a"})
	h.open("x", 1, 0)
	w.run(time.Second)
	if w.sent[All] != 0 {
		t.Error("it claims to nobody")
	}
	other := w.start(Config{Node: "b"})
	w.run(50 * time.Millisecond)
	if len(other.views["a"]) != 1 {
		t.Error("who comes is not told")
	}
}

func TestOddIDsAreNotClaimed(t *testing.T) {
	w := newWorld(t, 11)
	h := w.start(Config{Node: "a"})
	for _, id := range []string{"", string(make([]byte, 256))} {
		if got := h.m.Open(h.time(), Session{ID: id}, &h.out); got != 0 {
			t.Errorf("%d bytes: %x", len(id), got)
		}
	}
	h.m.Close(h.time(), "nobody", 3, &h.out)
	if s := h.m.Stats(); s.Claimed != 0 || s.Released != 0 {
		t.Errorf("%+v", s)
	}
}
