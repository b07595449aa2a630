package peer

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// pair is two machines that know each other, without a bus between them.
func pair(sessions int) (a, b *Machine, now Now, out *Out) {
	now, out = Now{time.Second, 1_800_000_000_000}, new(Out)
	a = New(Config{Node: "a", Epoch: 1, Replace: true}, now)
	b = New(Config{Node: "b", Epoch: 2, Replace: true}, now)
	for range 3 {
		for _, m := range []*Machine{a, b} {
			m.announce(now, out)
			for _, action := range out.Actions {
				if action.Op == Publish && action.Subject == Nodes {
					pass(now, action.Data, a, b)
				}
			}
			out.Reset()
		}
	}
	for i := range sessions {
		id := fmt.Sprintf("client-%08d", i)
		a.Open(now, Session{ID: id, User: id, Incarnation: 1, Handle: uint64(i)}, out)
		out.Reset()
	}
	a.Tick(Now{now.Since + 10*time.Millisecond, now.Wall}, out)
	out.Reset()
	return a, b, now, out
}

// pass gives a message to machines, which do with it what they like.
func pass(now Now, data []byte, to ...*Machine) {
	var out Out
	for _, m := range to {
		m.Received(now, data, &out)
	}
}

func TestClaimCostsNoAllocation(t *testing.T) {
	a, b, now, out := pair(10_000)
	if len(a.Members().Names()) != 2 || len(b.Members().Names()) != 2 {
		t.Fatal("they do not know each other")
	}
	stranger, known := appendRecord(nil, recordLogin, &session{id: "stranger", user: "u", stamp: 1 << 60}),
		appendRecord(nil, recordLogin, &session{id: "client-00000007", user: "u", stamp: 1 << 20})
	first := uint64(1)
	msg := func(record []byte) []byte {
		m := appendClaims(appendHeader(nil, kindClaims, 2, "b"), first, record)
		first++
		return m
	}
	var msgs [][]byte
	for range 300 {
		msgs = append(msgs, msg(stranger), msg(known))
	}
	for range 10 { // room for actions
		for _, m := range [][]byte{msgs[0], msgs[1]} {
			a.Received(now, m, out)
		}
		out.Reset()
	}
	i := 0
	if n := testing.AllocsPerRun(200, func() {
		a.Received(now, msgs[i], out)
		out.Reset()
		i++
	}); n != 0 {
		t.Errorf("%v allocations a claim", n)
	}
	if s := a.Stats(); s.ClaimsSeen < 200 || s.Again < 90 {
		t.Errorf("%+v", s)
	}
	hub := append(appendHeader(nil, kindToHub, 2, "b"), "body"...)
	if n := testing.AllocsPerRun(200, func() {
		a.Received(now, hub, out)
		a.Send(now, "b", hub, out)
		out.Reset()
	}); n != 0 {
		t.Errorf("%v allocations a message of a hub", n)
	}
	if n := testing.AllocsPerRun(200, func() {
		stamp := a.Open(now, Session{ID: "x", User: "y", Incarnation: 3, Handle: 4}, out)
		a.Close(now, "x", stamp, out)
		a.flush(now, out)
		out.Reset()
	}); n != 0 {
		t.Errorf("%v allocations an own login and logout", n)
	}
}

// A session costs no more than docs/CLUSTER.md says, without its texts, which its owner has anyway.
func TestSessionCosts(t *testing.T) {
	const n = 200_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("client-%08d", i)
	}
	m := New(Config{Node: "a", Epoch: 1, Replace: true}, Now{})
	var out Out
	before := heapBytes()
	for i, id := range ids {
		m.Open(Now{}, Session{ID: id, User: id, Incarnation: 1, Handle: uint64(i)}, &out)
		out.Reset()
	}
	got := float64(heapBytes()-before-uint64(m.log.bytes)) / n
	t.Logf("%.1f bytes a session, and %d of the log", got, m.log.bytes)
	if got > 92 {
		t.Errorf("%.1f bytes a session", got)
	}
	runtime.KeepAlive(ids)
	runtime.KeepAlive(m)
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func BenchmarkClaimReceived(b *testing.B) {
	m, _, now, out := pair(100_000)
	record := appendRecord(nil, recordLogin, &session{id: "stranger", user: "u", stamp: 1 << 60})
	msg := appendClaims(appendHeader(nil, kindClaims, 2, "b"), 1, record)
	at := len(msg) - len(record) - 1
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.known["b"].claims.next = uint64(i)&0xff | 1
		msg[at] = byte(m.known["b"].claims.next)
		m.Received(now, msg, out)
		out.Reset()
	}
}

func BenchmarkOpenAndClose(b *testing.B) {
	m, _, now, out := pair(100_000)
	b.ReportAllocs()
	for b.Loop() {
		stamp := m.Open(now, Session{ID: "x", User: "y", Incarnation: 3, Handle: 4}, out)
		m.Close(now, "x", stamp, out)
		out.Reset()
	}
}

func BenchmarkHome(b *testing.B) {
	for _, n := range []int{3, 8, 100} {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprint("node-", i))
		}
		s := membersOf(names...)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				s.Home("some-room")
			}
		})
	}
}
