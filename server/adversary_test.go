package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// What enemies do. Each plays once and returns the code that it was sent away with.

// drip sends b a byte at a time until it is cut off. Real ones take a second a byte; the
// deadlines of a siege are shorter by about as much.
func (e *enemy) drip(b []byte) {
	stop := time.NewTicker(50 * time.Millisecond)
	defer stop.Stop()
	for i := range b {
		if _, err := e.conn.Write(b[i : i+1]); err != nil {
			return
		}
		<-stop.C
	}
}

func slowHello(e *enemy) (codec.Code, error) {
	if err := e.dial(); err != nil {
		return 0, err
	}
	go e.drip(helloWith(e.id, strings.Repeat("t", 500)))
	return e.endWithin(e.began, e.s.cfg.HelloTimeout)
}

func slowFrame(e *enemy) (codec.Code, error) {
	if err := e.join(); err != nil {
		return 0, err
	}
	begun := time.Now()
	go e.drip(codec.AppendSend(nil, 1, make([]byte, 500)))
	return e.endWithin(begun, e.s.cfg.PartialTimeout)
}

// says connects, says b and listens.
func says(b []byte) func(e *enemy) (codec.Code, error) {
	return func(e *enemy) (codec.Code, error) {
		if err := e.dial(); err != nil {
			return 0, err
		}
		e.conn.Write(b) // what counts is how it is answered
		return e.end()
	}
}

// joinsAndSays is says with a session.
func joinsAndSays(b []byte) func(e *enemy) (codec.Code, error) {
	return func(e *enemy) (codec.Code, error) {
		if err := e.join(); err != nil {
			return 0, err
		}
		e.conn.Write(b)
		return e.end()
	}
}

func silent(e *enemy) (codec.Code, error) {
	if err := e.dial(); err != nil {
		return 0, err
	}
	return e.endWithin(e.began, e.s.cfg.HelloTimeout)
}

func halfHello(e *enemy) (codec.Code, error) {
	if err := e.dial(); err != nil {
		return 0, err
	}
	b := e.hello()
	e.conn.Write(b[:len(b)/2])
	return e.endWithin(e.began, e.s.cfg.HelloTimeout)
}

// halfFrame goes on to speak no more; its complete PING just before does not help it.
func halfFrame(e *enemy) (codec.Code, error) {
	if err := e.join(); err != nil {
		return 0, err
	}
	ping := codec.AppendPing(nil, 1, 0)
	begun := time.Now()
	e.conn.Write(append(ping, ping[:13]...))
	return e.endWithin(begun, e.s.cfg.PartialTimeout)
}

// header is the beginning of a SEND that declares n bytes.
func header(typ codec.Type, n uint32) []byte {
	b := []byte{codec.Magic, codec.FramingVersion << 4, byte(typ), 0}
	return binary.BigEndian.AppendUint32(b, n)
}

// flood says b again and again until it is cut off.
func flood(b []byte) func(e *enemy) (codec.Code, error) {
	return func(e *enemy) (codec.Code, error) {
		if err := e.join(); err != nil {
			return 0, err
		}
		burst := make([]byte, 0, 16<<10)
		for len(burst)+len(b) <= cap(burst) {
			burst = append(burst, b...)
		}
		go io.Copy(io.Discard, e.conn)
		for {
			if _, err := e.conn.Write(burst); err != nil {
				e.conn.Close()
				return 0, nil
			}
		}
	}
}

// overdo says b just too often, so that it can still read why it must go.
func overdo(b []byte) func(e *enemy) (codec.Code, error) {
	return func(e *enemy) (codec.Code, error) {
		if err := e.join(); err != nil {
			return 0, err
		}
		var all []byte
		for range e.s.cfg.MaxFrameRate*burstSeconds*3/2 + 10 {
			all = append(all, b...)
		}
		e.conn.Write(all)
		return e.end()
	}
}

// corrupt is frame with a bit of its checksum turned.
func corrupt(frame []byte) []byte {
	b := append([]byte(nil), frame...)
	b[len(b)-1] ^= 1
	return b
}

// resetAtOnce sends b, if anything, and resets.
func resetAtOnce(b []byte) func(e *enemy) (codec.Code, error) {
	return func(e *enemy) (codec.Code, error) {
		if err := e.dial(); err != nil {
			return 0, err
		}
		e.conn.Write(b)
		e.conn.SetLinger(0)
		return 0, e.conn.Close()
	}
}

// finish sends b, ends its write side and stays.
func finish(b []byte) func(e *enemy) (codec.Code, error) {
	return func(e *enemy) (codec.Code, error) {
		if err := e.dial(); err != nil {
			return 0, err
		}
		e.conn.Write(b)
		e.conn.CloseWrite()
		return e.endWithin(e.began, 0)
	}
}

// narrow makes the peer's receive buffer small, so that what it does not read is soon
// the node's burden.
var narrow = net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
}}

// neverReads is pushed to without end; it notices its end by what it writes.
func neverReads(e *enemy) (codec.Code, error) {
	e.id = "sink-" + e.id
	return e.onlyWrites()
}

// stalls is sent a little once, does not read it, and goes on to ping.
func stalls(e *enemy) (codec.Code, error) {
	e.id = "stall-" + e.id
	return e.onlyWrites()
}

func (e *enemy) onlyWrites() (codec.Code, error) {
	if err := e.joinFrom(narrow); err != nil {
		return 0, err
	}
	defer e.conn.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if _, err := e.conn.Write(codec.AppendPing(nil, 1, 0)); err != nil {
			return 0, nil
		}
	}
	return 0, fmt.Errorf("it was not closed")
}

// withToken shows the token of another id, or one that has expired, and so on.
func withToken(token func(e *enemy) string) func(e *enemy) (codec.Code, error) {
	return func(e *enemy) (codec.Code, error) {
		code, err := says(helloWith(e.id, token(e)))(e)
		if e.in {
			err = errors.New("it got a session")
		}
		return code, err
	}
}

func strangersToken(e *enemy) string { return e.s.token("somebody else", time.Now().Add(time.Hour)) }
func expiredToken(e *enemy) string   { return e.s.token(e.id, time.Now().Add(-time.Second)) }
func noToken(*enemy) string          { return "" }
func forgedToken(e *enemy) string {
	b := []byte(e.s.token(e.id, time.Now().Add(time.Hour)))
	b[len(b)/2] ^= 2 // another letter of the alphabet
	return string(b)
}

var (
	onePing    = codec.AppendPing(nil, 1, 0)
	zeroLength = codec.AppendFrame(nil, 99, codec.FlagIgnorable, nil)
	unknown    = codec.AppendFrame(nil, 99, 0, []byte("what?"))
	reserved   = []byte{codec.Magic, codec.FramingVersion << 4, byte(codec.Ping), 0x82, 0, 0, 0, 8}
	nibble     = []byte{codec.Magic, codec.FramingVersion<<4 | 1, byte(codec.Ping), 0, 0, 0, 0, 8}
)

func TestSlowlorisIsCutAtItsDeadline(t *testing.T) {
	besiege(t, siegeConfig{},
		trial{"hello", 50, slowHello, codec.CodeHelloTimeout, ReasonHelloTimeout},
		trial{"frame", 50, slowFrame, codec.CodePartialTimeout, ReasonPartialTimeout})
}

func TestSilentConnectionsAreCutAtTheirDeadline(t *testing.T) {
	besiege(t, siegeConfig{}, trial{"silent", 500, silent, codec.CodeHelloTimeout, ReasonHelloTimeout})
}

func TestHalfFrameThenSilenceIsCutAtItsDeadline(t *testing.T) {
	besiege(t, siegeConfig{},
		trial{"hello", 200, halfHello, codec.CodeHelloTimeout, ReasonHelloTimeout},
		trial{"frame", 200, halfFrame, codec.CodePartialTimeout, ReasonPartialTimeout})
}

// The header alone is enough; nothing waits for the bytes that it promises.
func TestLengthOf2And4GiBIsRefusedAsRead(t *testing.T) {
	var trials []trial
	for _, n := range []uint32{1 << 31, 1<<32 - 1} {
		trials = append(trials,
			trial{fmt.Sprint("before ", n), 50, says(header(codec.Hello, n)), codec.CodeFrameTooLarge, ReasonFrameTooLarge},
			trial{fmt.Sprint("after ", n), 50, joinsAndSays(header(codec.Send, n)), codec.CodeFrameTooLarge, ReasonFrameTooLarge})
	}
	besiege(t, siegeConfig{}, trials...)
}

func TestFramesBeyondTheLimitAreRefusedBeforeAndAfterAuthentication(t *testing.T) {
	besiegeWith(t, siegeConfig{}, func(s *siege) {
		for _, tr := range []trial{
			{"before", 50, says(header(codec.Hello, codec.MaxPayloadBeforeAuth+1)), codec.CodeFrameTooLarge, ReasonFrameTooLarge},
			{"after", 50, joinsAndSays(header(codec.Send, codec.MaxPayload+1)), codec.CodeFrameTooLarge, ReasonFrameTooLarge},
		} {
			s.try(tr)
		}
		e := s.enemy("exact")
		if err := e.join(); err != nil {
			t.Fatal(err)
		}
		defer e.conn.Close()
		if _, err := e.conn.Write(codec.AppendSend(nil, 1, make([]byte, codec.MaxBody))); err != nil {
			t.Fatal(err)
		}
		if err := e.want(codec.Deliver); err != nil {
			t.Fatalf("a frame of exactly the limit: %v", err)
		}
	})
}

func TestZeroLengthFloodIsCutAtTheRate(t *testing.T) {
	besiege(t, siegeConfig{MaxFrameRate: 200},
		trial{"just too many", 20, overdo(zeroLength), codec.CodeRateLimit, ReasonRateLimit},
		trial{"without end", 20, flood(zeroLength), 0, ReasonRateLimit})
}

func TestPingFloodIsCutAtTheRate(t *testing.T) {
	besiegeWith(t, siegeConfig{MaxFrameRate: 200}, func(s *siege) {
		s.try(trial{"just too many", 20, overdo(onePing), codec.CodeRateLimit, ReasonRateLimit})
		s.try(trial{"without end", 20, flood(onePing), 0, ReasonRateLimit})
	})
}

func TestUnknownTypesEndTheConnectionUnlessIgnorable(t *testing.T) {
	besiegeWith(t, siegeConfig{}, func(s *siege) {
		s.try(trial{"before", 50, says(unknown), codec.CodeProtocolError, ReasonUnexpected})
		s.try(trial{"ignorable before", 50, says(zeroLength), codec.CodeProtocolError, ReasonUnexpected})
		s.try(trial{"after", 50, joinsAndSays(unknown), codec.CodeProtocolError, ReasonUnexpected})
		e := s.enemy("ignorable")
		if err := e.join(); err != nil {
			t.Fatal(err)
		}
		defer e.conn.Close()
		e.conn.Write(append(append([]byte(nil), zeroLength...), onePing...))
		if err := e.want(codec.Pong); err != nil {
			t.Fatalf("after an ignorable frame: %v", err)
		}
	})
}

func TestReservedBitsEndTheConnection(t *testing.T) {
	besiege(t, siegeConfig{},
		trial{"flags before", 50, says(reserved), codec.CodeProtocolError, ReasonBadFlags},
		trial{"flags after", 50, joinsAndSays(reserved), codec.CodeProtocolError, ReasonBadFlags},
		trial{"nibble before", 50, says(nibble), codec.CodeProtocolError, ReasonBadFraming},
		trial{"nibble after", 50, joinsAndSays(nibble), codec.CodeProtocolError, ReasonBadFraming})
}

func TestBadChecksumsEndTheConnection(t *testing.T) {
	besiege(t, siegeConfig{},
		trial{"before", 50, says(corrupt(helloWith("x", ""))), codec.CodeBadChecksum, ReasonBadChecksum},
		trial{"after", 50, joinsAndSays(corrupt(onePing)), codec.CodeBadChecksum, ReasonBadChecksum})
}

func TestResetRightAfterAcceptHurtsNobody(t *testing.T) {
	besiegeWith(t, siegeConfig{}, func(s *siege) {
		for name, b := range map[string][]byte{"silent": nil, "garbage": []byte("x"), "hello": helloWith("x", "")} {
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					for range 20 {
						if _, err := resetAtOnce(b)(s.enemy("reset")); err != nil {
							t.Errorf("%s: %v", name, err)
						}
					}
				})
			}
			wg.Wait()
			// One that was reset in the queue may never be seen; what was accepted must end.
			s.until("all resets were seen", func(r report) bool {
				return r.Pending <= 1 && r.Conns <= crowdSize+1 && r.Lingering == 0
			})
		}
		if r := s.ask(""); r.Closes["peer_reset"] == 0 {
			t.Errorf("of 3000 resets none was seen: %v", r.Closes)
		}
	})
}

func TestFinThenSilenceIsClosedAtOnce(t *testing.T) {
	besiege(t, siegeConfig{},
		trial{"nothing said", 200, finish(nil), 0, ReasonPeerClosed},
		trial{"hello said", 200, finish(helloWith("x", "")), 0, ReasonPeerClosed},
		trial{"half a hello", 200, finish(helloWith("x", "")[:9]), 0, ReasonPeerClosed})
}

func TestReceiversThatNeverReadAreClosed(t *testing.T) {
	besiege(t, siegeConfig{},
		trial{"pushed to", 20, neverReads, 0, ReasonSlowConsumer},
		trial{"pinging on", 20, stalls, 0, ReasonWriteStall})
}

// One id that logs in again and again and stays: it gets its handshakes and no more.
func TestDuplicateLoginLoopIsHeldOff(t *testing.T) {
	const logins, rate = 100, 2
	besiegeWith(t, siegeConfig{IDRate: rate}, func(s *siege) {
		start := time.Now()
		in := 0
		for range logins {
			e := s.enemy("")
			e.id = "twin"
			err := e.join()
			switch {
			case err == nil:
				in++
				defer e.conn.Close()
			case e.away.Code == codec.CodeBusy && e.away.Delay > 0 && e.away.Delay <= time.Second/rate:
				e.conn.Close()
			default:
				t.Fatalf("refused with %v, %+v", err, e.away)
			}
		}
		if limit := handshakeBurst + 2 + int(time.Since(start)*rate/time.Second); in < handshakeBurst || in > limit {
			t.Errorf("%d of %d logins of one id were let in within %v, want %d to %d", in, logins, time.Since(start), handshakeBurst, limit)
		}
		s.until("counted", func(r report) bool { return r.Closes["flapping"] == uint64(logins-in) })
	})
}

// A client that comes and goes is told how long to stay away, and is let in after that.
func TestFlappingClientIsHeldOffAndReturnsAfterItsDelay(t *testing.T) {
	besiegeWith(t, siegeConfig{IDRate: 4}, func(s *siege) {
		flap := func() (*enemy, error) {
			e := s.enemy("")
			e.id = "flapper"
			err := e.join()
			if e.conn != nil {
				e.conn.SetLinger(0)
				e.conn.Close()
			}
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
			if refused++; e.away.Code != codec.CodeBusy || e.away.Delay <= 0 || turns < handshakeBurst {
				t.Fatalf("turn %d: %v, %+v", turns, err, e.away)
			}
			// It does as it is told; the length of the wait is the test.
			time.Sleep(e.away.Delay + e.away.Window + 5*time.Millisecond)
			if e, err := flap(); err != nil {
				t.Fatalf("after its delay: %v, %+v", err, e.away)
			}
		}
		s.until("counted", func(r report) bool { return r.Closes["flapping"] == uint64(refused) })
	})
}

func TestTokensThatDoNotAdmitAreRefused(t *testing.T) {
	besiege(t, siegeConfig{Secret: secret},
		trial{"of another id", 50, withToken(strangersToken), codec.CodeUnauthorized, ReasonUnauthorized},
		trial{"forged", 50, withToken(forgedToken), codec.CodeUnauthorized, ReasonUnauthorized},
		trial{"none", 50, withToken(noToken), codec.CodeUnauthorized, ReasonUnauthorized},
		trial{"expired", 50, withToken(expiredToken), codec.CodeTokenExpired, ReasonTokenExpired})
}

// many has one address connect n times, as fast as it can, and keeps what gets in.
func (s *siege) many(n int) (in []*enemy, refused map[codec.Code]int) {
	s.t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var next atomic.Int64
	refused = make(map[codec.Code]int)
	for range 64 {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				e := s.enemy("many")
				err := e.join()
				mu.Lock()
				if err == nil {
					in = append(in, e)
				} else if refused[e.away.Code]++; e.away.Code == 0 {
					s.t.Errorf("connection %s: %v", e.id, err)
				}
				mu.Unlock()
				if err != nil && e.conn != nil {
					e.conn.Close()
				}
			}
		})
	}
	wg.Wait()
	return in, refused
}

func TestTenThousandConnectionsOfOneAddressGetTheirShareOnly(t *testing.T) {
	const share, conns = 200, 10_000
	besiegeWith(t, siegeConfig{AddrConns: share}, func(s *siege) {
		in, refused := s.many(conns)
		if len(in) != share || refused[codec.CodeBusy] != conns-share {
			t.Errorf("%d of %d got in, %v were refused; want %d in", len(in), conns, refused, share)
		}
		s.until("counted", func(r report) bool { return r.Closes["addr_limit"] == conns-share })
		for _, e := range in {
			e.conn.Close()
		}
		s.until("room again", func(r report) bool { return r.Sessions <= crowdSize+1 })
		if e := s.enemy("again"); e.join() != nil {
			t.Error("the address gets nobody in after its clients have left")
		} else {
			e.conn.Close()
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
	besiegeWith(t, siegeConfig{Heartbeat: 30 * time.Second, Timeout: 75 * time.Second}, func(s *siege) {
		in, refused := s.many(conns)
		if len(in) != conns {
			t.Errorf("%d of %d got in, %v were refused", len(in), conns, refused)
		}
		s.until("all are there", func(r report) bool { return r.Sessions >= int64(conns+crowdSize) && r.Wheel >= conns+crowdSize })
		for _, e := range in {
			e.conn.SetLinger(0)
			e.conn.Close()
		}
		s.until("all have left", func(r report) bool { return r.Sessions <= crowdSize+1 })
	})
}

// everything is one of each kind.
var everything = []func(e *enemy) (codec.Code, error){
	slowHello, slowFrame, silent, halfHello, halfFrame,
	says(header(codec.Hello, 1<<31)), joinsAndSays(header(codec.Send, 1<<32-1)),
	says(header(codec.Hello, codec.MaxPayloadBeforeAuth+1)), joinsAndSays(header(codec.Send, codec.MaxPayload+1)),
	overdo(zeroLength), flood(zeroLength), overdo(onePing), flood(onePing), flood(codec.AppendSend(nil, 1, make([]byte, 4000))),
	says(unknown), joinsAndSays(unknown), says(reserved), joinsAndSays(reserved), says(nibble),
	says(corrupt(helloWith("x", ""))), joinsAndSays(corrupt(onePing)), says([]byte("GET / HTTP/1.1\r\n\r\n")),
	resetAtOnce(nil), resetAtOnce(helloWith("x", "")), resetAtOnce([]byte("x")),
	finish(nil), finish(helloWith("x", "")), finish(helloWith("x", "")[:9]),
	neverReads, stalls,
	withToken(strangersToken), withToken(forgedToken), withToken(expiredToken), withToken(noToken),
	twin, twin,
}

// twin logs in as the others of its kind do, and leaves at once.
func twin(e *enemy) (codec.Code, error) {
	e.id = "twin"
	err := e.join()
	if e.conn != nil {
		e.conn.Close()
	}
	return e.away.Code, err
}

// All enemies at once, several of each kind, again and again. STORMWHEEL_LONG=1 makes it a
// minute.
func TestAllAdversariesAtOnceLoseNoWellBehavedClient(t *testing.T) {
	length := 5 * time.Second
	if os.Getenv("STORMWHEEL_LONG") != "" {
		length = time.Minute
	}
	s := startSiege(t, siegeConfig{Secret: secret, IDRate: 2, MaxFrameRate: 200})
	empty := s.warm()
	assault := func(length time.Duration) {
		t.Helper()
		over := time.Now().Add(length) // the length is the test
		c := s.crowd()
		var plays atomic.Int64
		var wg sync.WaitGroup
		for _, play := range everything {
			for range 4 {
				wg.Go(func() {
					pause := time.NewTicker(10 * time.Millisecond)
					defer pause.Stop()
					for ; time.Now().Before(over); <-pause.C {
						play(s.enemy("enemy"))
						plays.Add(1)
					}
				})
			}
		}
		wg.Wait()
		c.leave()
		s.wantClean(empty)
		t.Logf("%d times in %v an enemy came", plays.Load(), length)
	}
	assault(length / 2) // the first grows slabs and buffers, which a node keeps
	s.until("the last client has left", func(r report) bool { return r.Conns == 0 })
	before := s.settled()
	assault(length)
	after := s.settled()
	t.Logf("RSS %d KiB when fresh, %d before, %d after; alive in the heap %d, %d, %d; the node was told: %v",
		empty.RSS>>10, before.RSS>>10, after.RSS>>10, empty.Heap>>10, before.Heap>>10, after.Heap>>10, after.Closes)
	if after.Heap > before.Heap+before.Heap/10+512<<10 {
		t.Errorf("%d KiB are alive in the heap, %d before", after.Heap>>10, before.Heap>>10)
	}
	// The race detector's own memory grows with all that it has seen.
	if !after.Race && after.RSS > before.RSS+before.RSS/10 {
		t.Errorf("RSS is %d KiB and was %d before", after.RSS>>10, before.RSS>>10)
	}
}

// settled is a report after several collections: pools and finished goroutines outlive one.
func (s *siege) settled() (r report) {
	s.t.Helper()
	for range 10 {
		now := s.ask("gc")
		if r.RSS == 0 || now.RSS < r.RSS {
			r = now
		}
		time.Sleep(20 * time.Millisecond) // what lets go of memory runs on other goroutines
	}
	return r
}
