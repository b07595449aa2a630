package messaging_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// A message that is being stored while its user comes to another node is found by him when it is.
func TestPutRacesWithALoginElsewhere(t *testing.T) {
	inTown(t, 1, messaging.Config{}, func(w *town) {
		store := newFaulty(messaging.Bounds{})
		b := w.add(messaging.Config{}, store)
		w.advance(0)
		alice := b.join("alice")
		goOn := store.stall()
		n := alice.to("bob", "a")
		w.advance(0)
		bob := w.nodes[0].join("bob")
		w.advance(0)
		bob.nothing()
		goOn()
		w.advance(2 * time.Second)
		bob.gets("a")
		alice.acked(n, envelope.AckDurable)
	})
}

// A login that is told late, as after a claim that was lost, finds what was stored meanwhile.
func TestLoginThatIsToldLate(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice := w.nodes[0].join("alice")
		alice.to("bob", "a")
		w.advance(time.Minute)
		w.f.faults(func(from, to string) int { return 0 })
		bob := w.nodes[1].join("bob")
		alice.to("bob", "b") // behind the first: nobody is asked again
		w.advance(0)
		w.f.faults(func(from, to string) int { return 1 })
		w.advance(2 * time.Second)
		bob.gets("a")
		bob.gets("b")
		bob.nothing()
	})
}

// What was stored while two nodes did not see each other is brought when they do.
func TestMessageStoredInASplitIsBroughtAfterIt(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		w.f.mu.Lock()
		w.f.nodes["a"].loses("b")
		w.f.nodes["b"].loses("a")
		w.f.mu.Unlock()
		n := alice.to("bob", "a")
		w.advance(time.Minute)
		alice.acked(n, envelope.AckDurable)
		bob.nothing()
		w.f.heal("a", "b")
		w.advance(2 * time.Second)
		bob.gets("a")
	})
}

// A node that the other alone had for lost learns that by the other's new stream, and asks again what was not answered.
func TestNodeThatWasHadForLostSendsAgain(t *testing.T) {
	for _, store := range []bool{true, false} {
		t.Run(fmt.Sprintf("store=%v", store), func(t *testing.T) {
			inTown(t, 2, messaging.Config{}, func(w *town) {
				var r *rig
				if r = w.nodes[0]; !store {
					r = w.add(messaging.Config{}, nil)
				}
				name := r.node.Server.Node()
				w.advance(0)
				alice, bob := r.join("alice"), w.nodes[1].join("bob")
				n := alice.to("bob", "a")
				w.advance(0)
				w.f.mu.Lock()
				w.f.nodes["b"].loses(name)
				w.f.mu.Unlock()
				bob.gets("a") // its answer is lost
				w.advance(time.Second)
				w.f.heal("b", name)
				w.advance(2 * time.Second)
				alice.acked(n, envelope.AckDelivered)
				n = alice.to("bob", "b")
				w.advance(0)
				bob.gets("b")
				alice.acked(n, envelope.AckDelivered)
				if st := r.hub.UserHere("bob"); st.Unacknowledged+st.Waiting.Records > 0 {
					t.Errorf("still waiting: %+v", st)
				}
			})
		})
	}
}

// A node that does not answer holds a user's messages up for a moment only, and has them when it answers.
func TestFrozenNodeIsNotWaitedFor(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		alice, bob, carol := w.nodes[0].join("alice"), w.nodes[1].join("bob"), w.nodes[2].join("carol")
		w.f.freeze("b", true)
		a, b := alice.to("bob", "a"), alice.to("carol", "b")
		w.advance(600 * time.Millisecond)
		carol.gets("b")
		alice.acked(b, envelope.AckDelivered)
		alice.acked(a, envelope.AckDurable)
		w.f.freeze("b", false)
		w.advance(600 * time.Millisecond)
		bob.gets("a")
	})
}

// A logout that nobody heard is found out by the first message.
func TestUserWhoIsGoneUnheard(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		n := alice.to("bob", "a")
		bob.gets("a")
		alice.acked(n, envelope.AckDelivered)
		w.f.mu.Lock()
		delete(w.f.nodes["b"].live, "a") // what b says of logouts does not come
		w.f.mu.Unlock()
		bob.Close()
		w.advance(0)
		w.f.mu.Lock()
		w.f.nodes["b"].live["a"] = true
		w.f.mu.Unlock()
		n = alice.to("bob", "b")
		w.advance(time.Second)
		alice.acked(n, envelope.AckDurable)
		if st, err := w.nodes[0].hub.User(w.t.Context(), "bob"); err != nil || st.Unacknowledged > 0 {
			t.Errorf("as if he were there: %+v, %v", st, err)
		}
		bob = w.nodes[1].join("bob")
		w.advance(0)
		bob.gets("b")
		bob.nothing()
	})
}

// While sender and addressee stay, the order holds whatever the bus loses and doubles, and whatever the store and the
// addressee's pace do.
func TestOrderOverALossyBus(t *testing.T) {
	for seed := range manySeeds(8) {
		inTown(t, 3, messaging.Config{MessageRate: -1}, func(w *town) {
			r := rand.New(rand.NewPCG(seed, otherWord(2)))
			chance := rand.New(rand.NewPCG(seed, 5)) // of the fabric
			w.f.mu.Lock()
			w.f.fault = func(string, string, []byte) int { return [...]int{0, 1, 1, 1, 2}[chance.IntN(5)] }
			w.f.mu.Unlock()
			bob := w.nodes[1].join("bob")
			const n = 300
			var got []string
			last, sent, redelivered := -1, 0, 0
			for turn := 0; last < n-1 || sent < n; turn++ {
				for range r.IntN(20) {
					if sent < n {
						if err := w.nodes[0].hub.Push("bob", messaging.Message{Content: []byte(fmt.Sprint(sent))}, nil); err != nil {
							t.Fatal(err)
						}
						sent++
					}
				}
				w.advance(time.Duration(r.IntN(2000)) * time.Millisecond)
				for _, text := range bob.all(r.IntN(10) != 0) {
					got = append(got, text)
					var i int
					fmt.Sscan(text, &i)
					switch {
					case i <= last:
						redelivered++
					case i == last+1:
						last = i
					default:
						t.Fatalf("seed %d: %d after %d; all: %v", seed, i, last, got)
					}
				}
				if turn > 3000 {
					t.Fatalf("seed %d: %d of %d sent, the last that came is %d", seed, sent, n, last)
				}
			}
		})
	}
}

// all returns the texts of what has come, and acknowledges it unless it is not to.
func (p *peer) all(ack bool) (texts []string) {
	for _, m := range p.messages() {
		texts = append(texts, string(m.e.Content))
		if ack {
			p.Client.Ack(m.number)
		} else {
			p.late = append(p.late, m.number)
		}
	}
	if ack {
		for _, n := range p.late {
			p.Client.Ack(n)
		}
		p.late = nil
	}
	return slices.Clip(texts)
}

// An answer that the bus has lost and that is said again is older than a login that was told meanwhile.
func TestLateAnswerDoesNotHideALogin(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice := w.nodes[0].join("alice")
		lost := false
		w.f.mu.Lock()
		w.f.fault = func(from, _ string, body []byte) int {
			if from == "b" && body[1] == 17 && !lost { // LOCATED
				lost = true
				return 0
			}
			return 1
		}
		w.f.mu.Unlock()
		n := alice.to("bob", "a")
		w.advance(0)
		bob := w.nodes[1].join("bob")
		w.advance(700 * time.Millisecond) // it was said again
		w.f.mu.Lock()
		if !lost {
			t.Fatal("nobody was asked")
		}
		w.f.mu.Unlock()
		bob.gets("a")
		alice.acked(n, envelope.AckDelivered)
		n = alice.to("bob", "b")
		w.advance(0)
		bob.gets("b")
		alice.acked(n, envelope.AckDelivered)
	})
}
