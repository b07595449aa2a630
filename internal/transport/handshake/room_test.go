package handshake

import (
	"crypto/tls"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

func waiting(addr netip.Addr) *handshake { return &handshake{addr: addr, stop: func() {}} }

// start is when the tests begin; whoever enters then has had his time at late.
var (
	start0 = time.Now()
	late   = start0.Add(answerTime)
)

var here, there = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")

// The one without progress for longest is given up, and one that goes on is new again.
func TestTheOldestIsGivenUp(t *testing.T) {
	r := &room{max: 3, maxBytes: 1 << 30}
	var all []*handshake
	for range 3 {
		h := waiting(netip.Addr{})
		r.enter(h, 0, start0)
		all = append(all, h)
	}
	r.leave(all[0])
	r.enter(all[0], 0, start0)
	for _, want := range []int{1, 2, 0} {
		if n := r.enter(waiting(netip.Addr{}), 0, start0); n != 1 || !all[want].isDead() {
			t.Errorf("%d were given up, number %d: %v", n, want, all[want].isDead())
		}
	}
	if r.len() != 3 {
		t.Errorf("%d wait, want 3", r.len())
	}
}

// An address that fills half of the room has an eighth of it from then on, and does not keep
// others out.
func TestAnAddressHasAnEighthOnceHalfIsTaken(t *testing.T) {
	r := &room{max: 80, maxBytes: 1 << 30}
	now := start0
	for i := range 1000 {
		now = now.Add(answerTime)
		r.enter(waiting(here), 0, now)
		if n := r.from[here].n; n > 41 || i < 40 && n != i+1 {
			t.Fatalf("after %d there are %d of one address", i+1, n)
		}
	}
	other := waiting(there)
	r.enter(other, 0, now)
	for range 1000 {
		now = now.Add(answerTime)
		r.enter(waiting(here), 0, now)
	}
	if other.isDead() {
		t.Error("another address's handshake was given up")
	}
	for range 200 { // many addresses: the oldest of all goes
		r.enter(waiting(netip.AddrFrom4([4]byte{10, 0, byte(rand.Uint32()), byte(rand.Uint32())})), 0, now)
	}
	if r.len() != 80 || !other.isDead() {
		t.Errorf("%d wait", r.len())
	}
}

func TestBytesOfHandshakesAreBounded(t *testing.T) {
	r := &room{max: 1000, maxBytes: 10 * handshakeBytes}
	for range 50 {
		r.enter(waiting(netip.Addr{}), handshakeBytes, start0)
		if r.bytes > r.maxBytes {
			t.Fatalf("%d bytes, want %d at most", r.bytes, r.maxBytes)
		}
	}
	if r.len() != 5 {
		t.Errorf("%d wait, want 5", r.len())
	}
}

// Whatever enters and leaves, what is counted is what is there.
func TestTheRoomCountsWhatIsThere(t *testing.T) {
	r := &room{max: 20, maxBytes: 30 * handshakeBytes}
	chance := rand.New(rand.NewPCG(3, 4))
	var all []*handshake
	for range 5000 {
		if len(all) > 0 && chance.Uint32N(3) == 0 {
			i := chance.IntN(len(all))
			r.leave(all[i])
			r.leave(all[i])
			all = append(all[:i], all[i+1:]...)
			continue
		}
		h := waiting([]netip.Addr{here, there, {}}[chance.Uint32N(3)])
		r.enter(h, chance.IntN(40<<10), []time.Time{start0, late}[chance.IntN(2)])
		all = append(all, h)
	}
	n, bytes := 0, 0
	for e := r.waiting.Front(); e != nil; e = e.Next() {
		n, bytes = n+1, bytes+e.Value.(*handshake).bytes
	}
	if n != r.len() || bytes != r.bytes || n > r.max || bytes > r.maxBytes {
		t.Errorf("%d with %d bytes, counted %d", n, bytes, r.bytes)
	}
	for _, h := range all {
		r.leave(h)
	}
	if r.len() != 0 || r.bytes != 0 || len(r.from) != 0 {
		t.Errorf("%d, %d bytes, %d addresses are left", r.len(), r.bytes, len(r.from))
	}
}

// Where those who end well need long, nobody is given up who may be one of them; to a bound, whatever they need.
func TestWhoNeedsAsLongAsOthersIsNotGivenUp(t *testing.T) {
	r := &room{max: 10, maxBytes: 1 << 30}
	for range 10 {
		r.enter(waiting(here), 0, start0)
	}
	for range 200 {
		r.answered(1500 * time.Millisecond)
	}
	if r.mayBegin(start0.Add(2900*time.Millisecond)) || !r.mayBegin(start0.Add(3100*time.Millisecond)) {
		t.Errorf("who needs 1.5 s has %v", r.answerTime())
	}
	for range 200 {
		r.answered(time.Hour)
	}
	if r.mayBegin(start0.Add(longestAnswer-1)) || !r.mayBegin(start0.Add(longestAnswer)) {
		t.Errorf("at most %v", r.answerTime())
	}
	for range 1000 {
		r.answered(time.Millisecond)
	}
	if r.mayBegin(late.Add(-1)) || !r.mayBegin(late) {
		t.Errorf("when they are quick again: %v", r.answerTime())
	}
}

// Only who ends well has a say in how long the others may need.
func TestOnlyWhoEndsWellSaysHowLongAnswersTake(t *testing.T) {
	n := new(Config)
	n.room.max, n.room.maxBytes = maxWaiting, maxWaitingBytes
	came := start0.Add(2 * time.Second)
	enter := func() *handshake {
		h := waiting(here)
		h.conn = tls.Server(&h.wire, new(tls.Config))
		n.note(h, start0, &step{})
		h.since = start0
		return h
	}
	n.note(enter(), came, &step{err: errEnded})
	n.note(enter(), came, &step{})
	if n.room.answers != 0 {
		t.Errorf("answers take %v, and none came", n.room.answers)
	}
	if n.note(enter(), came, &step{done: true}); n.room.answers == 0 {
		t.Error("an answer has no say")
	}
}

// What has just begun is not given up for another one: that waits until there is room, or somebody
// has had his time.
func TestWhatHasJustBegunIsNotGivenUp(t *testing.T) {
	r := &room{max: 10, maxBytes: 1 << 30}
	for i := range 10 {
		if !r.mayBegin(start0) {
			t.Fatalf("there is no room for number %d", i)
		}
		if n := r.enter(waiting(here), 0, start0); n != 0 {
			t.Fatalf("%d were given up", n)
		}
	}
	if r.mayBegin(start0.Add(answerTime - 1)) {
		t.Error("another one may begin, and nobody has had his time")
	}
	if !r.mayBegin(late) {
		t.Error("nobody may begin, and all have had their time")
	}
}
