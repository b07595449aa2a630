package peer

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// crowd has many clients come in at a host.
func (h *host) crowd(n int, name string) (all []*login) {
	for i := range n {
		all = append(all, h.open(fmt.Sprint(name, i), 1, 0))
	}
	return all
}

func byID(all ...*login) map[string][]*login {
	by := make(map[string][]*login)
	for _, l := range all {
		by[l.id] = append(by[l.id], l)
	}
	return by
}

// Who comes is told all sessions: from the log, or, where that does not go back so far, as a list.
func TestNewcomerIsToldAllSessions(t *testing.T) {
	for _, logBytes := range []int{1 << 20, 1 << 10} {
		w := newWorld(t, 1)
		h := w.cluster(2, Config{LogBytes: logBytes})
		all := h[0].crowd(5000, "x")
		for _, l := range all[:2500] {
			h[0].close(l)
		}
		w.run(2 * time.Second)
		late := w.start(Config{Node: "z"})
		w.run(time.Second)
		w.check(byID(all...))
		s := h[0].m.Stats()
		if listed := s.Listed > 0; listed != (logBytes < 1<<20) {
			t.Errorf("log of %d bytes: %d sessions were listed", logBytes, s.Listed)
		}
		if got := late.m.Stats().ClaimsLost; got != 0 {
			t.Errorf("%d claims were lost", got)
		}
	}
}

// The claims of a split are told first, then the rest: two sessions of one client end within 2 s.
func TestHealedSplit(t *testing.T) {
	for _, logBytes := range []int{1 << 20, 1 << 10} {
		w := newWorld(t, 2)
		h := w.cluster(3, Config{Replace: true, LogBytes: logBytes})
		before := h[0].crowd(20_000, "old")
		before = append(before, h[1].crowd(20_000, "also")...)
		w.run(2 * time.Second)
		w.part("a", "b", true)
		w.part("a", "c", true)
		w.run(60 * time.Second)
		sees(t, h[0])
		both := append(h[0].crowd(3000, "both"), h[1].crowd(3000, "both")...)
		moved := h[1].crowd(100, "old") // they left a without its knowing
		w.run(time.Second)
		for _, host := range h {
			host.m.stats.Asked = 0
		}
		w.heal()
		w.run(2 * time.Second)
		all := byID(append(append(before, both...), moved...)...)
		w.checkOne(all)
		w.run(3 * time.Second)
		w.check(all)
		if got := h[0].m.Stats().ClaimsLost; got != 0 {
			t.Errorf("log of %d bytes: %d claims count as lost", logBytes, got)
		}
		if got := h[1].m.Stats().Asked; got > 200 {
			t.Errorf("log of %d bytes: %d questions", logBytes, got)
		}
	}
}

// A frozen node comes back with sessions whose clients have long gone elsewhere.
func TestFrozenNodeReturnsWithOldClaims(t *testing.T) {
	for _, d := range []time.Duration{time.Second, 5 * time.Second, 30 * time.Second} {
		w := newWorld(t, 3)
		h := w.cluster(3, Config{Replace: true})
		all := h[0].crowd(1000, "x")
		w.run(time.Second)
		h[0].freeze(d)
		w.run(d / 2)
		all = append(all, h[1].crowd(500, "x")...)
		w.run(d / 2)
		w.run(1500 * time.Millisecond)
		w.checkOne(byID(all...))
		w.run(2 * time.Second)
		w.check(byID(all...))
	}
}

// Who falls so far behind that the log does not help, while its peer lives, begins anew with that peer.
func TestTooFarBehind(t *testing.T) {
	w := newWorld(t, 4)
	h := w.cluster(2, Config{LogBytes: 1 << 10})
	all := h[0].crowd(10, "x")
	w.run(time.Second)
	w.lose = func(_ *host, s Subject, _ []byte) bool { return s == All }
	for _, l := range all {
		h[0].close(l)
	}
	all = append(all, h[0].crowd(3000, "y")...)
	w.run(10 * time.Millisecond)
	w.lose = nil
	w.run(2 * time.Second)
	w.check(byID(all...))
	if h[1].ups["a"] != 2 {
		t.Errorf("a was up %d times, want 2", h[1].ups["a"])
	}
}

// While a list is told, clients come and go.
func TestListOfAMovingNode(t *testing.T) {
	w := newWorld(t, 5)
	h := w.cluster(1, Config{LogBytes: 1 << 10})
	all := h[0].crowd(20_000, "x")
	w.run(time.Second)
	late := w.start(Config{Node: "z"})
	for i := range 300 {
		w.run(time.Millisecond)
		for j := range 20 {
			h[0].close(all[(i*20+j)*3])
		}
		all = append(all, h[0].crowd(10, fmt.Sprint("new", i, "-"))...)
	}
	w.run(time.Second)
	w.check(byID(all...))
	if late.ups["a"] != 1 {
		t.Errorf("a was up %d times", late.ups["a"])
	}
}

// A piece of a list that was written before what is known already would bring back who has gone.
func TestStaleListIsAskedForAgain(t *testing.T) {
	w := newWorld(t, 6)
	h := w.cluster(1, Config{LogBytes: 1})
	all := h[0].crowd(3000, "x")
	w.run(time.Second)
	late := w.start(Config{Node: "z"})
	var held [][]byte
	w.lose = func(from *host, s Subject, data []byte) bool {
		if from == h[0] && s == To && kind(data[1]) == kindList && len(held) == 0 {
			held = append(held, data)
			return true
		}
		return false
	}
	w.run(100 * time.Millisecond)
	if len(held) != 1 {
		t.Fatal("no list")
	}
	h[0].close(all[0]) // the claims come first
	w.run(10 * time.Millisecond)
	late.receive(held[0])
	w.run(2 * time.Second)
	w.check(byID(all...))
}

// A piece that comes again, or was wanted of another list, is not taken.
func TestOtherPiecesOfAList(t *testing.T) {
	w := newWorld(t, 9)
	h := w.cluster(1, Config{LogBytes: 1})
	all := h[0].crowd(5000, "x")
	w.run(time.Second)
	late := w.start(Config{Node: "z"})
	var pieces [][]byte
	w.lose = func(_ *host, _ Subject, data []byte) bool {
		if kind(data[1]) != kindList {
			return false
		}
		pieces = append(pieces, data)
		return len(pieces) == 3 // it waits for that
	}
	for len(pieces) < 3 {
		w.run(time.Millisecond)
	}
	stale := late.m.Stats().Stale
	other, _ := parseList(pieces[2][headerLen+1:])
	other.since = 7
	late.receive(pieces[0])
	late.receive(pieces[1])
	late.receive(appendList(bytes.Clone(pieces[0][:headerLen+1]), &other))
	if got := late.m.Stats().Stale - stale; got != 3 {
		t.Errorf("%d were stale, want 3", got)
	}
	w.run(2 * time.Second)
	w.check(byID(all...))
}

// Lists are paced, and those since a number have no others.
func TestPaceOfLists(t *testing.T) {
	w := newWorld(t, 10)
	h := w.cluster(1, Config{LogBytes: 1})
	all := h[0].crowd(20_000, "x")
	w.run(time.Second)
	h[0].m.list(&node{name: "z"}, question{since: 19_001}, &h[0].out)
	if got := h[0].m.Stats().Listed; got != 1000 {
		t.Errorf("%d were listed, want 1,000", got)
	}
	h[0].out.Reset()
	w.start(Config{Node: "z", ListPace: 50 * time.Millisecond})
	w.run(210 * time.Millisecond)
	if got := h[0].m.Stats().Answered; got < 4 || got > 6 {
		t.Errorf("%d questions in 210 ms, each 50 ms", got)
	}
	w.run(2 * time.Second)
	w.check(byID(all...))
}

// The question or its answer is lost: it is asked again.
func TestLostAnswers(t *testing.T) {
	w := newWorld(t, 7)
	h := w.cluster(1, Config{LogBytes: 1 << 10})
	all := h[0].crowd(5000, "x")
	w.run(time.Second)
	w.drop = 0.4
	w.start(Config{Node: "z"})
	w.run(60 * time.Second)
	w.drop = 0
	w.run(2 * time.Second)
	w.check(byID(all...))
}

// Answers to another run of the node, or to nobody's question, change nothing.
func TestUnaskedAnswers(t *testing.T) {
	w := newWorld(t, 8)
	h := w.cluster(2, Config{})
	all := h[1].crowd(3, "x")
	w.run(time.Second)
	l := list{since: 1, head: 100, cursor: 0}
	msg := appendList(appendHeader(nil, kindList, h[1].cfg.Epoch, "b"), &l)
	stale := h[0].m.Stats().Stale
	h[0].receive(msg)
	if h[0].m.Stats().Stale != stale+1 {
		t.Error("a list was taken that nobody asked for")
	}
	answered := h[0].m.Stats().Answered
	for _, k := range []kind{kindAsk, kindWant} {
		h[0].receive(appendQuestion(appendHeader(nil, k, h[1].cfg.Epoch, "b"), k, question{epoch: 77, since: 1}))
	}
	h[0].receive(appendQuestion(appendHeader(nil, kindAsk, h[1].cfg.Epoch, "b"), kindAsk, question{epoch: h[0].cfg.Epoch, since: 99}))
	if h[0].m.Stats().Answered != answered {
		t.Error("a question to another run was answered, or one for what is not there yet")
	}
	w.run(time.Second)
	w.check(byID(all...))
}
