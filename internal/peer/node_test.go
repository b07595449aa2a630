package peer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// sees says whether a host was told that others are up, and no more.
func sees(t *testing.T, h *host, names ...string) {
	t.Helper()
	names = append(names, h.name)
	slices.Sort(names)
	if got := h.m.Members().Names(); !slices.Equal(got, names) {
		t.Errorf("%s sees %v, want %v", h.name, got, names)
	}
}

func TestNodesFindEachOther(t *testing.T) {
	w := newWorld(t, 1)
	h := w.cluster(3, Config{Replace: true})
	sees(t, h[0], "b", "c")
	sees(t, h[1], "a", "c")
	sees(t, h[2], "a", "b")
	late := w.start(Config{Node: "d"})
	w.run(20 * time.Millisecond) // it does not take a second
	sees(t, late, "a", "b", "c")
	sees(t, h[0], "b", "c", "d")
}

func TestSilentPeerIsDownAfterThreeSeconds(t *testing.T) {
	w := newWorld(t, 2)
	h := w.cluster(2, Config{})
	w.run(500 * time.Millisecond)
	heard := h[0].m.Peers(nil)[0].Heard
	h[1].kill()
	w.run(heard + 3*time.Second - w.now)
	sees(t, h[0], "b")
	w.run(10 * time.Millisecond)
	sees(t, h[0])
}

func TestBusSaysThatPeerIsGone(t *testing.T) {
	w := newWorld(t, 3)
	h := w.cluster(2, Config{})
	h[1].kill()
	h[0].m.tuned = 0 // clients were told nothing in this moment
	h[0].m.Gone(h[0].time(), "b", &h[0].out)
	h[0].obey()
	sees(t, h[0])
	if len(h[0].terms.Alternates) != 0 {
		t.Errorf("clients are told %v", h[0].terms)
	}
	h[0].m.Gone(h[0].time(), "nobody", &h[0].out)
	w.start(Config{Node: "b"})
	w.run(50 * time.Millisecond)
	sees(t, h[0], "b")
}

// Who ends in order has left, and is not among those who were gone.
func TestWhoLeavesIsNotGone(t *testing.T) {
	w := newWorld(t, 23)
	h := slices.Clone(w.cluster(3, Config{}))
	h[1].m.Leave(h[1].time(), &h[1].out)
	h[1].obey()
	h[1].kill()
	h[2].kill()
	w.run(5 * time.Second)
	sees(t, h[0])
	if s := h[0].m.Stats(); s.Leaves != 1 || s.Downs != 1 {
		t.Errorf("%d left and %d were gone, want one each", s.Leaves, s.Downs)
	}
}

// Its own silence is not its peers': what it did not hear while it stood still it had no chance to hear.
func TestFrozenNodeDoesNotTakePeersForDead(t *testing.T) {
	w := newWorld(t, 4)
	h := w.cluster(3, Config{})
	h[0].freeze(20 * time.Second)
	w.run(5 * time.Second)
	sees(t, h[1], "c")
	h[2].kill()
	downs := h[0].m.Stats().Downs
	w.run(15*time.Second + 10*time.Millisecond)
	sees(t, h[0], "b", "c")
	w.run(4 * time.Second)
	sees(t, h[0], "b") // c is dead
	sees(t, h[1], "a")
	if got := h[0].m.Stats().Downs - downs; got != 1 {
		t.Errorf("%d peers were down, want 1", got)
	}
}

// So, too, if the bus has lost what came meanwhile: they are excused for as long as it slept.
func TestFrozenNodeExcusesItsPeers(t *testing.T) {
	w := newWorld(t, 15)
	h := w.cluster(2, Config{})
	h[0].freeze(20 * time.Second)
	w.run(20*time.Second - time.Millisecond)
	h[0].inbox = nil
	w.run(10 * time.Millisecond)
	sees(t, h[0], "b")
	w.run(2 * time.Second)
	if got := h[0].m.Stats().Downs; got != 0 {
		t.Errorf("%d downs", got)
	}
}

// Who wakes finds its connections closed, since the others took it for dead: what the bus says then is about its own
// sleep. It tells of no peer that is back in time, and of one that stays away after the others.
func TestFrozenNodeDoesNotBelieveItsBus(t *testing.T) {
	for _, asleep := range []time.Duration{time.Second / 2, time.Second, 5 * time.Second, 30 * time.Second} {
		for early := range 10 { // it may fall asleep at any moment between two announcements
			w := newWorld(t, 17)
			h := w.cluster(3, Config{})
			h[1].open("x", 1, 0)
			w.run(time.Duration(early) * 100 * time.Millisecond)
			w.part("a", "b", true)
			w.part("a", "c", true)
			h[0].freeze(asleep)
			for _, other := range h[1:] {
				other.m.Gone(other.time(), "a", &other.out)
				other.obey()
			}
			w.run(asleep / 2)
			h[1].open("y", 1, 0)
			w.run(asleep - asleep/2 - time.Microsecond)
			h[0].inbox = nil
			w.after(time.Microsecond, func() {
				for _, peer := range []string{"b", "c"} {
					h[0].m.Gone(h[0].time(), peer, &h[0].out)
					h[0].obey()
				}
			})
			w.run(1500 * time.Millisecond)
			sees(t, h[0], "b", "c")
			w.cut = make(map[[2]string]bool)
			w.part("a", "c", true)
			w.run(time.Second)
			sees(t, h[0], "b", "c")
			sees(t, h[1], "a", "c")
			if got := len(h[0].views["b"]); got != 2 {
				t.Errorf("a knows of %d sessions of b, want 2", got)
			}
			h[0].m.Gone(h[0].time(), "c", &h[0].out) // the bus says so still
			h[0].obey()
			sees(t, h[0], "b")
			if got := h[0].m.Stats().Downs; got != 1 {
				t.Errorf("asleep for %v: %d peers were down, want 1", asleep, got)
			}
		}
	}
}

// Who writes to us hears us, though its announcement of that was lost.
func TestLetterProvesThatItsSenderHearsUs(t *testing.T) {
	w := newWorld(t, 16)
	h := w.cluster(1, Config{})
	b := w.start(Config{Node: "b"})
	lost := 0
	w.lose = func(from *host, s Subject, _ []byte) bool {
		if from == b && s == Nodes {
			lost++
			return lost > 1
		}
		return false
	}
	w.run(20 * time.Millisecond)
	sees(t, b, "a")
	sees(t, h[0])
	b.m.Send(b.time(), "a", []byte("hello"), &b.out)
	b.obey()
	w.run(20 * time.Millisecond)
	sees(t, h[0], "b")
	if len(h[0].hub) != 1 {
		t.Errorf("%q", h[0].hub)
	}
}

// A peer that we hear and that does not hear us is none: what we send is lost.
func TestCutOneWayIsSeenByBoth(t *testing.T) {
	w := newWorld(t, 5)
	h := w.cluster(3, Config{})
	w.part("a", "b", false)
	w.run(8 * time.Second)
	sees(t, h[0], "c")
	sees(t, h[1], "c")
	sees(t, h[2], "a", "b")
	h[1].m.SendAll(h[1].time(), []byte("hello"), &h[1].out)
	h[1].obey()
	w.run(10 * time.Millisecond)
	if len(h[0].hub) != 0 || len(h[2].hub) != 1 {
		t.Errorf("a was told %q, c %q", h[0].hub, h[2].hub)
	}
	for _, p := range h[0].m.Peers(nil) {
		if p.Node == "b" && p.HearsUs {
			t.Error("b is said to hear a")
		}
	}
	w.heal()
	w.run(1100 * time.Millisecond)
	sees(t, h[0], "b", "c")
	sees(t, h[1], "a", "c")
}

func TestWhoLeavesIsDownAtOnce(t *testing.T) {
	w := newWorld(t, 6)
	h := w.cluster(2, Config{})
	late := appendHeader(nil, kindNode, h[1].cfg.Epoch, "b")
	a := announcement{started: h[1].m.started, state: Serving}
	late = appendAnnouncement(late, &a)
	h[1].m.Leave(h[1].time(), &h[1].out)
	h[1].obey()
	w.run(10 * time.Millisecond)
	sees(t, h[0])
	h[0].receive(late) // it was long on its way
	sees(t, h[0])
	w.run(5 * time.Second)
	sees(t, h[0])
	if h[1].m.Deadline() != never {
		t.Error("who has left waits for something")
	}
	if ok := h[0].m.Send(h[0].time(), "b", nil, &h[0].out); ok {
		t.Error("a message to it was sent")
	}
}

func TestNewEpochVoidsTheOld(t *testing.T) {
	w := newWorld(t, 7)
	h := w.cluster(2, Config{})
	h[1].open("x", 1, 0)
	w.run(10 * time.Millisecond)
	if len(h[0].views["b"]) != 1 {
		t.Fatal("the login was not told")
	}
	old := h[1]
	old.kill()
	w.start(Config{Node: "b"})
	w.run(10 * time.Millisecond)
	if h[0].ups["b"] != 2 || len(h[0].views["b"]) != 0 {
		t.Errorf("b was up %d times, and is said to have %v", h[0].ups["b"], h[0].views["b"])
	}
	var out Out // what the old one has sent comes later
	old.m.Tick(Now{w.now, w.wall}, &out)
	old.m.Send(old.time(), "a", []byte("late"), &out)
	for _, action := range out.Actions {
		h[0].receive(action.Data)
	}
	if h[0].ups["b"] != 2 || len(h[0].hub) != 0 {
		t.Errorf("b was up %d times, and said %q", h[0].ups["b"], h[0].hub)
	}
}

// A process that was started again while its clock was put back is taken when the old one is silent.
func TestNewEpochWithAnEarlierClock(t *testing.T) {
	w := newWorld(t, 8)
	h := w.cluster(2, Config{})
	h[1].kill()
	w.wall -= 3_600_000
	again := w.start(Config{Node: "b"})
	w.run(5 * time.Second)
	sees(t, h[0], "b")
	if h[0].m.known["b"].epoch != again.cfg.Epoch {
		t.Error("it is the old one")
	}
	if again.replaced {
		t.Error("a dead one has replaced it")
	}
}

// Of two processes with one name the one that was started later is meant, by all; the other is told.
func TestTwoProcessesWithOneName(t *testing.T) {
	w := newWorld(t, 9)
	h := w.cluster(3, Config{})
	old := h[1]
	old.freeze(5 * time.Second)
	w.run(time.Second)
	young := w.start(Config{Node: "b"})
	w.run(10 * time.Second)
	if !old.replaced || young.replaced {
		t.Errorf("the old one was told %v, the young one %v", old.replaced, young.replaced)
	}
	for _, other := range []*host{h[0], h[2]} {
		if p := other.m.known["b"]; p.epoch != young.cfg.Epoch || !p.live || other.ups["b"] != 2 {
			t.Errorf("%s has %x live %v, %d times up", other.name, p.epoch, p.live, other.ups["b"])
		}
	}
}

func TestNumbersThatAreTakenAreDrawnAgain(t *testing.T) {
	w := newWorld(t, 10)
	a, b := w.start(Config{Node: "a"}), w.start(Config{Node: "b"})
	a.m.number, b.m.number = 7, 7
	w.run(2 * time.Second)
	later := a
	if later.m.started < b.m.started || later.m.started == b.m.started && a.cfg.Epoch < b.cfg.Epoch {
		later = b
	}
	if later.m.number == 7 || a.m.number != 7 && b.m.number != 7 {
		t.Errorf("numbers %d and %d: the one that was started later should have drawn again", a.m.number, b.m.number)
	}
}

func TestPeersAreBounded(t *testing.T) {
	w := newWorld(t, 11)
	a := w.start(Config{Node: "a", MaxPeers: 5})
	for i := range 20 {
		h := w.start(Config{Node: fmt.Sprintf("n%02d", i)})
		w.run(10 * time.Millisecond)
		h.kill()
		w.run(4 * time.Second)
	}
	if got := a.m.Stats().Peers; got != 5 {
		t.Errorf("%d are known, want 5", got)
	}
	for i := range 8 { // more live ones than fit
		w.start(Config{Node: fmt.Sprintf("m%02d", i)})
	}
	w.run(3 * time.Second)
	if got := a.m.Stats().Peers; got != 5 {
		t.Errorf("%d are known, want 5", got)
	}
	if got := len(a.m.Members().Names()); got != 6 {
		t.Errorf("%d are live, want 6", got)
	}
}

func TestDeadPeersAreForgotten(t *testing.T) {
	w := newWorld(t, 12)
	h := w.cluster(2, Config{})
	h[1].kill()
	w.run(forgetAfter + 5*time.Second)
	if got := h[0].m.Stats().Peers; got != 0 {
		t.Errorf("%d are known", got)
	}
}

// With many nodes nobody says whom he hears, and none answers each newcomer.
func TestManyNodes(t *testing.T) {
	w := newWorld(t, 13)
	for i := range 70 {
		w.start(Config{Node: fmt.Sprintf("n%03d", i)})
		w.run(5 * time.Millisecond)
	}
	w.run(4 * time.Second)
	for _, h := range w.hosts {
		if got := len(h.m.Members().Names()); got != 70 {
			t.Fatalf("%s sees %d", h.name, got)
		}
	}
	if w.sent[Nodes] > 70*(maxHeard+6) {
		t.Errorf("%d announcements", w.sent[Nodes])
	}
}

func TestNamesOfNodes(t *testing.T) {
	for _, name := range []string{"a", "node-1", "Knoten_ä", strings.Repeat("x", MaxNode)} {
		if err := ValidNode(name); err != nil || !validNode([]byte(name)) {
			t.Errorf("%q: %v, %v", name, err, validNode([]byte(name)))
		}
	}
	for _, name := range []string{"", "a.b", "a b", "*", ">", "a\n", "\xff", strings.Repeat("x", MaxNode+1)} {
		if err := ValidNode(name); err != ErrNode || validNode([]byte(name)) {
			t.Errorf("%q: %v, %v", name, err, validNode([]byte(name)))
		}
	}
}

func TestOnlyOneDrains(t *testing.T) {
	w := newWorld(t, 14)
	h := w.cluster(3, Config{})
	h[0].m.Drain(h[0].time(), true, &h[0].out)
	h[0].obey()
	w.run(10 * time.Millisecond)
	if got := h[1].m.Draining(); got != "a" {
		t.Errorf("b is told that %q drains", got)
	}
	h[1].m.Drain(h[1].time(), true, &h[1].out)
	h[1].obey()
	w.run(120 * time.Millisecond)
	if got := h[0].m.Draining(); got != "" { // it began first
		t.Errorf("a is told that %q drains", got)
	}
	if got := h[1].m.Draining(); got != "a" {
		t.Errorf("b is told that %q drains", got)
	}
	if got := h[2].terms.Alternates; len(got) != 0 {
		t.Errorf("clients of c are sent to %v", got)
	}
	h[0].m.Drain(h[0].time(), false, &h[0].out)
	h[0].obey()
	w.run(2 * time.Second)
	if got := h[2].terms.Alternates; !slices.Equal(got, []string{"a:7000"}) {
		t.Errorf("clients of c are sent to %v", got)
	}
	sees(t, h[2], "a", "b") // who drains is a member
}
