package server

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/siege"
)

func TestSlowlorisIsCutAtItsDeadline(t *testing.T) {
	besiege(t, orders{},
		trial{50, siege.SlowHello, ReasonHelloTimeout},
		trial{50, siege.SlowFrame, ReasonPartialTimeout})
}

func TestSilentConnectionsAreCutAtTheirDeadline(t *testing.T) {
	besiege(t, orders{}, trial{500, siege.Silent, ReasonHelloTimeout})
}

func TestHalfFrameThenSilenceIsCutAtItsDeadline(t *testing.T) {
	besiege(t, orders{},
		trial{200, siege.HalfHello, ReasonHelloTimeout},
		trial{200, siege.HalfFrame, ReasonPartialTimeout})
}

// The header alone is enough; nothing waits for the bytes that it promises.
func TestLengthOf2And4GiBIsRefusedAsRead(t *testing.T) {
	var trials []trial
	for _, n := range []uint32{1 << 31, 1<<32 - 1} {
		trials = append(trials,
			trial{50, siege.Says(fmt.Sprint("hello of ", n), codec.CodeFrameTooLarge, siege.Header(codec.Hello, n)), ReasonFrameTooLarge},
			trial{50, siege.JoinsAndSays(fmt.Sprint("frame of ", n), codec.CodeFrameTooLarge, siege.Header(codec.Send, n)), ReasonFrameTooLarge})
	}
	besiege(t, orders{}, trials...)
}

func TestFramesBeyondTheLimitAreRefusedBeforeAndAfterAuthentication(t *testing.T) {
	besiegeWith(t, orders{}, func(c *child) {
		for _, tr := range []trial{
			{50, siege.LongHello, ReasonFrameTooLarge},
			{50, siege.LongFrame, ReasonFrameTooLarge},
		} {
			c.try(tr)
		}
		e := c.Peer("exact")
		if err := e.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if _, err := e.Write(codec.AppendSend(nil, 1, make([]byte, codec.MaxBody))); err != nil {
			t.Fatal(err)
		}
		if err := e.Want(codec.Deliver); err != nil {
			t.Fatalf("a frame of exactly the limit: %v", err)
		}
	})
}

func TestZeroLengthFloodIsCutAtTheRate(t *testing.T) {
	besiege(t, orders{MaxFrameRate: 200},
		trial{20, siege.TooManyEmpty, ReasonRateLimit},
		trial{20, siege.EmptyFlood, ReasonRateLimit})
}

// Of ranges never sent, of all numbers and of refusals of nothing; one that goes backwards is none.
func TestAnswersToNothingAreCutAtTheRate(t *testing.T) {
	besiege(t, orders{MaxFrameRate: 200},
		trial{20, siege.TooManyAcks, ReasonRateLimit},
		trial{20, siege.AckFlood, ReasonRateLimit},
		trial{20, siege.NackFlood, ReasonRateLimit},
		trial{20, siege.ReversedAck, ReasonBadPayload})
}

func TestPingFloodIsCutAtTheRate(t *testing.T) {
	besiege(t, orders{MaxFrameRate: 200},
		trial{20, siege.TooManyPings, ReasonRateLimit},
		trial{20, siege.PingFlood, ReasonRateLimit})
}

func TestUnknownTypesEndTheConnectionUnlessIgnorable(t *testing.T) {
	besiegeWith(t, orders{}, func(c *child) {
		c.try(trial{50, siege.UnknownFirst, ReasonUnexpected})
		c.try(trial{50, siege.Says("ignorable first", codec.CodeProtocolError, siege.ZeroLength), ReasonUnexpected})
		c.try(trial{50, siege.UnknownLater, ReasonUnexpected})
		e := c.Peer("ignorable")
		if err := e.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		e.Write(append(append([]byte(nil), siege.ZeroLength...), siege.Ping...))
		if err := e.Want(codec.Pong); err != nil {
			t.Fatalf("after an ignorable frame: %v", err)
		}
	})
}

func TestReservedBitsEndTheConnection(t *testing.T) {
	besiege(t, orders{},
		trial{50, siege.FlagsFirst, ReasonBadFlags},
		trial{50, siege.FlagsLater, ReasonBadFlags},
		trial{50, siege.NibbleFirst, ReasonBadFraming},
		trial{50, siege.NibbleLater, ReasonBadFraming})
}

func TestBadChecksumsEndTheConnection(t *testing.T) {
	besiege(t, orders{},
		trial{50, siege.ChecksumFirst, ReasonBadChecksum},
		trial{50, siege.ChecksumLater, ReasonBadChecksum})
}

func TestResetRightAfterAcceptHurtsNobody(t *testing.T) {
	besiegeWith(t, orders{}, func(c *child) {
		for _, e := range []siege.Enemy{siege.ResetSilent, siege.ResetGarbage, siege.ResetHello} {
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					for range 20 {
						if err := e.Play(t.Context(), &c.Target); err != nil {
							t.Errorf("%s: %v", e.Name, err)
						}
					}
				})
			}
			wg.Wait()
			// One that was reset in the queue may never be seen; what was accepted must end.
			c.until("all resets were seen", func(r report) bool {
				return r.Pending <= 1 && r.Conns <= siege.CrowdSize+1 && r.Lingering == 0
			})
		}
		// The last may wait in the queue of a unix socket still.
		c.until("of 3000 resets one was seen", func(r report) bool { return r.Closes["peer_reset"] > 0 })
	})
}

func TestFinThenSilenceIsClosedAtOnce(t *testing.T) {
	besiege(t, orders{},
		trial{200, siege.HalfClosedSilent, ReasonPeerClosed},
		trial{200, siege.HalfClosedHello, ReasonPeerClosed},
		trial{200, siege.HalfClosedInHello, ReasonPeerClosed})
}

func TestReceiversThatNeverReadAreClosed(t *testing.T) {
	besiege(t, orders{},
		trial{20, siege.NeverReads, ReasonSlowConsumer},
		trial{20, siege.Stalls, ReasonWriteStall})
}

// One id that logs in again and again and stays: it gets its handshakes and no more.
func TestDuplicateLoginLoopIsHeldOff(t *testing.T) {
	const logins, rate = 100, 2
	besiegeWith(t, orders{IDRate: rate}, func(c *child) {
		start := time.Now()
		in := 0
		for range logins {
			e := c.Peer("")
			e.ID = "twin"
			err := e.Join(t.Context())
			switch {
			case err == nil:
				in++
				defer e.Close()
			case e.Away.Code == codec.CodeBusy && e.Away.Delay > 0 && e.Away.Delay <= time.Second/rate:
				e.Close()
			default:
				t.Fatalf("refused with %v, %+v", err, e.Away)
			}
		}
		if limit := handshakeBurst + 2 + int(time.Since(start)*rate/time.Second); in < handshakeBurst || in > limit {
			t.Errorf("%d of %d logins of one id were let in within %v, want %d to %d", in, logins, time.Since(start), handshakeBurst, limit)
		}
		c.until("counted", func(r report) bool { return r.Closes["flapping"] == uint64(logins-in) })
	})
}

// A client that comes and goes is told how long to stay away, and is let in after that.
func TestFlappingClientIsHeldOffAndReturnsAfterItsDelay(t *testing.T) {
	besiegeWith(t, orders{IDRate: 4}, func(c *child) {
		flap := func() (*siege.Peer, error) {
			e := c.Peer("")
			e.ID = "flapper"
			err := e.Join(t.Context())
			e.Reset()
			return e, err
		}
		refused := 0
		for turns := 0; refused < 3; turns++ {
			e, err := flap()
			if err == nil {
				if turns > 100 {
					t.Fatal("a client that flapped 100 times was never held off")
				}
				continue
			}
			if refused++; e.Away.Code != codec.CodeBusy || e.Away.Delay <= 0 || turns < handshakeBurst {
				t.Fatalf("turn %d: %v, %+v", turns, err, e.Away)
			}
			// It does as it is told; the length of the wait is the test.
			time.Sleep(e.Away.Delay + e.Away.Window + 5*time.Millisecond)
			if e, err := flap(); err != nil {
				t.Fatalf("after its delay: %v, %+v", err, e.Away)
			}
		}
		c.until("counted", func(r report) bool { return r.Closes["flapping"] == uint64(refused) })
	})
}

func TestTokensThatDoNotAdmitAreRefused(t *testing.T) {
	besiege(t, orders{Secret: secret},
		trial{50, siege.StrangersToken, ReasonUnauthorized},
		trial{50, siege.ForgedToken, ReasonUnauthorized},
		trial{50, siege.NoToken, ReasonUnauthorized},
		trial{50, siege.ExpiredToken, ReasonTokenExpired})
}

func TestTenThousandConnectionsOfOneAddressGetTheirShareOnly(t *testing.T) {
	const share, conns = 200, 10_000
	besiegeWith(t, orders{AddrConns: share, Heartbeat: 30 * time.Second, Timeout: 75 * time.Second}, func(c *child) {
		r := siege.Rush(t.Context(), &c.Target, conns, 64)
		if len(r.In) != share || r.Refused[codec.CodeBusy] != conns-share {
			t.Errorf("%d of %d got in, %v were refused, %.3q failed; want %d in", len(r.In), conns, r.Refused, r.Failed, share)
		}
		c.until("counted", func(r report) bool { return r.Closes["addr_limit"] == conns-share })
		for _, e := range r.In {
			e.Close()
		}
		c.until("room again", func(r report) bool { return r.Sessions <= siege.CrowdSize+1 })
		if e := c.Peer("again"); e.Join(t.Context()) != nil {
			t.Error("the address gets nobody in after its clients have left")
		} else {
			e.Close()
		}
	})
}

// Without the limit, which is off by default, all of them are welcome.
func TestTenThousandConnectionsOfOneAddressAreServedWithoutALimit(t *testing.T) {
	conns := 10_000
	limit, _ := machine.Descriptors()
	if limit < conns+2000 {
		conns = limit - 2000
	}
	if conns < 1000 {
		t.Skipf("the descriptor limit is %d", limit)
	}
	besiegeWith(t, orders{Heartbeat: 30 * time.Second, Timeout: 75 * time.Second}, func(c *child) {
		r := siege.Rush(t.Context(), &c.Target, conns, 64)
		if len(r.In) != conns {
			t.Errorf("%d of %d got in, %v were refused, %.3q failed", len(r.In), conns, r.Refused, r.Failed)
		}
		c.until("all are there", func(r report) bool {
			return r.Sessions >= int64(conns+siege.CrowdSize) && r.Wheel >= conns+siege.CrowdSize
		})
		for _, e := range r.In {
			e.Reset()
		}
		c.until("all have left", func(r report) bool { return r.Sessions <= siege.CrowdSize+1 })
	})
}

// All enemies at once, several of each kind, again and again. STORMWHEEL_LONG=1 makes it a
// minute.
func TestAllAdversariesAtOnceLoseNoWellBehavedClient(t *testing.T) {
	length := 5 * time.Second
	if os.Getenv("STORMWHEEL_LONG") != "" {
		length = time.Minute
	}
	c := startSiege(t, orders{Secret: secret, IDRate: 2, MaxFrameRate: 200})
	empty := c.warm()
	assault := func(length time.Duration) {
		t.Helper()
		fared, came := siege.Assault(t.Context(), &c.Target, length)
		judge(t, fared)
		c.wantClean(empty)
		t.Logf("%d times in %v an enemy came", came, length)
	}
	assault(length / 2) // the first grows slabs and buffers, which a node keeps
	c.until("the last client has left", func(r report) bool { return r.Conns == 0 })
	before := c.settled()
	assault(length)
	after := c.settled()
	t.Logf("RSS %d KiB when fresh, %d before, %d after; alive in the heap %d, %d, %d; the node was told: %v",
		empty.RSS>>10, before.RSS>>10, after.RSS>>10, empty.Heap>>10, before.Heap>>10, after.Heap>>10, after.Closes)
	slack := int64(512 << 10)
	if transportOf(t).Client != nil {
		slack = 2 << 20 // AEADs of the last connections, buffers of the last half records
	}
	if after.Heap > before.Heap+before.Heap/10+slack {
		t.Errorf("%d KiB are alive in the heap, %d before", after.Heap>>10, before.Heap>>10)
	}
	// The race detector's own memory grows with all that it has seen.
	if !after.Race && after.RSS > before.RSS+max(before.RSS/10, 2*slack) {
		t.Errorf("RSS is %d KiB and was %d before", after.RSS>>10, before.RSS>>10)
	}
}

// settled is a report after several collections: pools and finished goroutines outlive one.
func (c *child) settled() (r report) {
	c.t.Helper()
	for range 10 {
		now := c.report("gc")
		if heap := r.Heap; r.RSS == 0 || now.RSS < r.RSS {
			if r = now; heap > 0 {
				r.Heap = min(heap, now.Heap)
			}
		} else {
			r.Heap = min(heap, now.Heap)
		}
		time.Sleep(20 * time.Millisecond) // what lets go of memory runs on other goroutines
	}
	return r
}
