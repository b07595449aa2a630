package messaging_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// member is a talk in a room that counts what it hears.
type member struct {
	*talk.Talk

	mu     sync.Mutex
	joined int
	heard  map[string]int
	missed int
	got    map[string]int
	states map[uint64]talk.State
	later  map[uint64]envelope.State
}

func newMember(t *testing.T, ctx context.Context, wg *sync.WaitGroup, addr, id string) *member {
	t.Helper()
	return newMemberBy(t, ctx, wg, addr, id, client.Config{})
}

// newMemberBy is newMember with a configuration of its client.
func newMemberBy(t *testing.T, ctx context.Context, wg *sync.WaitGroup, addr, id string, own client.Config) *member {
	t.Helper()
	own.Endpoints, own.ID, own.BackoffMin, own.BackoffMax = []string{addr}, id, 50*time.Millisecond, time.Second
	m := &member{heard: make(map[string]int), got: make(map[string]int), states: make(map[uint64]talk.State), later: make(map[uint64]envelope.State)}
	lock := func(do func()) { m.mu.Lock(); defer m.mu.Unlock(); do() }
	var err error
	m.Talk, err = talk.New(talk.Config{
		Client:      own,
		Message:     func(msg *talk.Message) { lock(func() { m.got[string(msg.Content)]++ }) },
		Publication: func(p talk.Publication) { lock(func() { m.heard[string(p.Content)]++ }) },
		Joined:      func(talk.Joined) { lock(func() { m.joined++ }) },
		Missed:      func(string, envelope.Position, envelope.Position) { lock(func() { m.missed++ }) },
		Settled:     func(n uint64, o talk.Outcome) { lock(func() { m.states[n] = o.State }) },
		Receipt:     func(r talk.Receipt) { lock(func() { m.later[r.ID.Number] = r.State }) },
	})
	if err != nil {
		t.Fatal(err)
	}
	wg.Add(1)
	go func() { defer wg.Done(); _ = m.Run(ctx) }()
	return m
}

func (m *member) has(ok func() bool) func() bool {
	return func() bool { m.mu.Lock(); defer m.mu.Unlock(); return ok() }
}

// A room goes on while its node is killed: each member hears each message once, or is told that it
// missed some.
func TestRoomOfAKilledNode(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	killRoom(t, 100, 200)
}

// The same with 10,000 members, where there are descriptors for them; under the race detector with a tenth.
func TestLargeRoomOfAKilledNode(t *testing.T) {
	members := 10_000
	if raceEnabled {
		members /= 10
	}
	switch limit, used := machine.Descriptors(); {
	case testing.Short():
		t.Skip("it takes many seconds")
	case limit > 0 && limit-used < members+1000:
		t.Skipf("only %d descriptors are left", limit-used)
	}
	killRoom(t, members, 40)
}

func killRoom(t *testing.T, members, messages int) {
	node, addr := startNode(t, freePorts(t, 1)[0], "memory")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var all []*member
	for i := range members {
		m := newMember(t, ctx, &wg, addr, fmt.Sprintf("member%d", i))
		m.Join("tea")
		all = append(all, m)
	}
	for _, m := range all {
		eventually(t, "joined", 2*time.Minute, m.has(func() bool { return m.joined > 0 }))
	}
	speaker := newMember(t, ctx, &wg, addr, "speaker")
	for i := range messages {
		if _, err := speaker.Publish(ctx, "tea", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if i == messages/2 {
			node.Kill()
			node.Reap()
			node, _ = startNode(t, addr, "memory")
		}
		time.Sleep(time.Millisecond)
	}
	eventually(t, "all is settled", 2*time.Minute, speaker.has(func() bool { return len(speaker.states) == messages }))
	missed := 0
	for i, m := range all {
		eventually(t, "joined again", 2*time.Minute, m.has(func() bool { return m.joined > 1 }))
		eventually(t, "all, or a gap", 2*time.Minute, m.has(func() bool { return len(m.heard) == messages || m.missed > 0 }))
		m.mu.Lock()
		missed += min(m.missed, 1)
		for text, n := range m.heard {
			if n > 1 {
				t.Errorf("member %d heard %s %d times", i, text, n)
			}
		}
		m.mu.Unlock()
	}
	t.Logf("%d of %d members were told of a gap", missed, members)
}

// The classic experiment, with package talk: what a node held when it was killed arrives when it is
// started again, and its sender hears that.
func TestTalkGetsItsSecondTickAfterTheNodeIsBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store")
	node, addr := startNode(t, freePorts(t, 1)[0], file)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	alice := newMember(t, ctx, &wg, addr, "alice/phone")
	number, err := alice.Send(ctx, "bob", []byte("hi"), talk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "one tick", time.Minute, alice.has(func() bool { return alice.states[number] == talk.Durable }))
	node.Kill()
	node.Reap()
	startNode(t, addr, file)
	bob := newMember(t, ctx, &wg, addr, "bob/laptop")
	eventually(t, "the message", time.Minute, bob.has(func() bool { return bob.got["hi"] == 1 }))
	eventually(t, "two ticks", time.Minute, alice.has(func() bool { return alice.later[number] == envelope.Delivered }))
	second, err := alice.SendAcked(ctx, "bob", []byte("there?"), talk.Options{})
	if err != nil || second.State != talk.Delivered {
		t.Errorf("got %+v, %v", second, err)
	}
}
