package messaging_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

// The ledger: whatever happens to nodes and to what is between them, every message is settled within 5 s, and what
// was acknowledged and does not lie in the store of a node that is dead comes to its user.
func TestLedgerOfAcknowledgedMessages(t *testing.T) {
	seeds := manySeeds(8)
	for _, real := range []bool{false, true} {
		t.Run(fmt.Sprintf("real=%v", real), func(t *testing.T) {
			for seed := range seeds {
				in := inTown
				if real {
					in = inRealTown
				}
				in(t, 3, messaging.Config{MessageRate: -1}, func(w *town) {
					l := &townLedger{town: w, r: rand.New(rand.NewPCG(seed, otherWord(3))), seed: seed, chance: rand.New(rand.NewPCG(seed, 4)), cuts: make(map[[2]string]bool), got: make(map[string]map[uint64]bool)}
					l.run()
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// manySeeds is how many worlds a test tries: few, unless the environment has STORMWHEEL_SEEDS.
func manySeeds(few uint64) uint64 {
	if many, err := strconv.ParseUint(os.Getenv("STORMWHEEL_SEEDS"), 10, 64); err == nil {
		return many
	}
	return few
}

type townLedger struct {
	*town
	r    *rand.Rand
	seed uint64

	mu     sync.Mutex         // guards these, and what is in said
	cuts   map[[2]string]bool // from, to: nothing comes
	lossy  bool
	chance *rand.Rand
	dead   string

	clients []*peer // by user; nil: he is away
	frozen  string
	said    []*saying
	got     map[string]map[uint64]bool // by user
	log     []string
}

type saying struct {
	id   messaging.ID
	user string
	node string // origin, as of the last time it was said
	at   time.Time
	out  messaging.Result
}

const ledgerUsers = 6

func (l *townLedger) note(format string, args ...any) {
	l.log = append(l.log, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

func (l *townLedger) fail(format string, args ...any) {
	l.t.Helper()
	l.t.Errorf("seed %d: "+format, append([]any{l.seed}, args...)...)
	for _, line := range l.log[max(0, len(l.log)-400):] {
		l.t.Log(line)
	}
	l.t.FailNow()
}

func (l *townLedger) run() {
	l.clients = make([]*peer, ledgerUsers)
	l.w.faults(func(from, to string) int {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.cuts[[2]string{from, to}] {
			return 0
		}
		if l.lossy {
			return [...]int{0, 1, 1, 1, 1, 1, 2}[l.chance.IntN(7)]
		}
		return 1
	})
	for range 150 {
		l.step()
		l.advance(time.Duration(l.r.IntN(800)) * time.Millisecond)
		l.read()
		l.late()
	}
	l.end()
}

// node is a random one that lives.
func (l *townLedger) node() *rig {
	for {
		r := l.nodes[l.r.IntN(len(l.nodes))]
		if r.node.Server.Node() != l.dead {
			return r
		}
	}
}

func (l *townLedger) step() {
	for range l.r.IntN(8) {
		s := &saying{id: messaging.ID{Sender: "x", Incarnation: 1, Number: uint64(len(l.said) + 1)}, user: fmt.Sprint("u", l.r.IntN(ledgerUsers))}
		l.said = append(l.said, s)
		l.say(s)
	}
	i := l.r.IntN(ledgerUsers)
	switch l.r.IntN(20) {
	case 0, 1, 2, 3: // he comes, or moves
		l.comes(i)
	case 4:
		if p := l.clients[i]; p != nil && !p.Ended() {
			l.note("u%d goes", i)
			p.Close()
			l.clients[i] = nil
		}
	case 5:
		l.mu.Lock()
		l.lossy = !l.lossy
		l.mu.Unlock()
	case 6, 7:
		l.cut()
	case 8, 9:
		l.heal()
	case 10:
		if l.frozen != "" {
			l.w.freeze(l.frozen, false)
			l.note("thaw %s", l.frozen)
			l.frozen = ""
		} else if r := l.node(); l.r.IntN(3) == 0 {
			l.frozen = r.node.Server.Node()
			l.w.freeze(l.frozen, true)
			l.note("freeze %s", l.frozen)
		}
	case 11:
		if l.dead == "" && l.r.IntN(4) == 0 {
			l.kill()
		}
	}
}

func (l *townLedger) say(s *saying) {
	r := l.node()
	node := r.node.Server.Node()
	l.mu.Lock()
	s.node, s.at, s.out = node, time.Now(), 0
	l.mu.Unlock()
	l.note("%d to %s by %s", s.id.Number, s.user, node)
	err := r.hub.Push(s.user, messaging.Message{ID: s.id, Content: []byte(fmt.Sprint(s.id.Number))}, func(o messaging.Outcome) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if s.node != node || s.node == l.dead {
			return // nobody hears it any more
		}
		if s.out != 0 {
			l.t.Errorf("seed %d: %d was told %v and %v", l.seed, s.id.Number, s.out, o.Result)
		}
		s.out = o.Result
	})
	if err != nil {
		l.fail("push: %v", err)
	}
}

func (l *townLedger) comes(i int) {
	r := l.node()
	l.note("u%d comes to %s", i, r.node.Server.Node())
	l.clients[i] = r.join(fmt.Sprint("u", i))
}

func (l *townLedger) cut() {
	a, b := l.node().node.Server.Node(), l.node().node.Server.Node()
	if a == b {
		return
	}
	both := l.r.IntN(2) == 0
	long := l.r.IntN(2) == 0 // longer than what a node is had for dead after
	l.note("cut %s to %s, both %v, long %v", a, b, both, long)
	l.mu.Lock()
	l.cuts[[2]string{a, b}] = true
	if both {
		l.cuts[[2]string{b, a}] = true
	}
	l.mu.Unlock()
	if long {
		l.w.loses(b, a)
		if both {
			l.w.loses(a, b)
		}
	}
}

func (l *townLedger) heal() {
	l.mu.Lock()
	clear(l.cuts)
	l.mu.Unlock()
	l.note("heal")
	for _, a := range l.nodes {
		for _, b := range l.nodes {
			if x, y := a.node.Server.Node(), b.node.Server.Node(); x < y && x != l.dead && y != l.dead {
				l.w.heal(x, y)
			}
		}
	}
}

// kill ends a node; who waits for an outcome there says it again through another.
func (l *townLedger) kill() {
	dead := l.node().node.Server.Node()
	l.mu.Lock()
	l.dead = dead
	l.mu.Unlock()
	l.note("kill %s", l.dead)
	l.w.dies(l.dead)
	if l.frozen == l.dead {
		l.frozen = ""
	}
	for i, p := range l.clients {
		if p != nil && p.r.node.Server.Node() == l.dead {
			l.clients[i] = nil
		}
	}
	for _, s := range l.said {
		l.mu.Lock()
		again := s.node == l.dead && s.out == 0
		l.mu.Unlock()
		if again {
			l.say(s)
		}
	}
}

// read has clients take and acknowledge what came, most of the time.
func (l *townLedger) read() {
	for i, p := range l.clients {
		if p == nil || l.r.IntN(5) == 0 {
			continue
		}
		if p.Ended() {
			l.note("u%d was ended", i)
			l.clients[i] = nil
		}
		for _, m := range p.messages() {
			var n uint64
			fmt.Sscan(string(m.e.Content), &n)
			user := fmt.Sprint("u", i)
			if l.said[n-1].user != user {
				l.fail("%s got %d of %s", user, n, l.said[n-1].user)
			}
			if p.Ended() {
				continue // it was too late to say so
			}
			l.note("u%d has %d", i, n)
			if l.got[user] == nil {
				l.got[user] = make(map[uint64]bool)
			}
			l.got[user][n] = true
			p.Client.Ack(m.number)
		}
	}
}

func (l *townLedger) late() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.said {
		if s.out == 0 && s.node != l.dead && time.Since(s.at) > 5*time.Second {
			l.fail("%d to %s by %s is not settled after %v", s.id.Number, s.user, s.node, time.Since(s.at))
		}
	}
}

// end has all be well again, and looks what came.
func (l *townLedger) end() {
	l.mu.Lock()
	l.lossy = false
	l.mu.Unlock()
	if l.frozen != "" {
		l.w.freeze(l.frozen, false)
	}
	l.heal()
	l.advance(5 * time.Second)
	l.read()
	l.late()
	for i := range l.clients {
		if l.clients[i] == nil || l.clients[i].Ended() {
			l.comes(i)
		}
	}
	for range 400 {
		l.advance(250 * time.Millisecond)
		l.read()
		if !slices.ContainsFunc(l.said, l.missing) {
			break
		}
	}
	for _, s := range l.said {
		if l.missing(s) {
			for i, p := range l.clients {
				l.note("u%d is at %s, ended %v, %v", i, p.r.node.Server.Node(), p.Ended(), p.Received())
			}
			for _, r := range l.nodes {
				st := r.hub.UserHere(s.user)
				l.note("%s: %+v", r.node.Server.Node(), st)
			}
			l.fail("%d to %s by %s was told %v, and has not come", s.id.Number, s.user, s.node, s.out)
		}
	}
	for range 40 { // what comes once more is acknowledged as well
		l.advance(250 * time.Millisecond)
		l.read()
	}
	for _, r := range l.nodes {
		for i := range l.clients {
			if st := r.hub.UserHere(fmt.Sprint("u", i)); r.node.Server.Node() != l.dead && (st.Unacknowledged > 0 || st.Waiting.Records > 0) {
				l.fail("%s still has something: %+v", r.node.Server.Node(), st)
			}
		}
	}
}

// missing tells whether a message should have come.
func (l *townLedger) missing(s *saying) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s.out {
	case messaging.Delivered:
	case messaging.Durable, messaging.Held:
		if s.node == l.dead {
			return false // it waits there
		}
	default:
		return false
	}
	return !l.got[s.user][s.id.Number]
}
