package link

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// bouncer counts as a server does that gives tokens back once a second, of a clock that is
// slower than the client's.
type bouncer struct {
	limits        codec.Limits
	second        int64
	frames, bytes int64
}

func bouncerSecond(now time.Duration) int64 { return int64(now.Seconds() * 0.96) }

// takes reports whether a frame of n bytes in all is within the limits.
func (b *bouncer) takes(now time.Duration, n int) bool {
	second := bouncerSecond(now)
	passed := second - b.second
	b.second = second
	b.frames = max(0, b.frames-passed*int64(b.limits.Frames)) + 1
	b.bytes = max(0, b.bytes-passed*int64(b.limits.Bytes)) + int64(n)
	return (b.limits.Frames == 0 || b.frames <= int64(b.limits.FrameBurst)) && (b.limits.Bytes == 0 || b.bytes <= int64(b.limits.ByteBurst))
}

// A client that is told what it may send is never cut off for it, however the network
// bunches what it sent, and wastes little of it.
func TestPacedSenderNeverExceedsTheLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits codec.Limits
		size   func(*rand.Rand) int
		rate   float64 // of messages that a second must bring, at least
	}{
		"frames": {codec.Limits{Frames: 2000, FrameBurst: 8000, Bytes: 4 << 20, ByteBurst: 16 << 20},
			func(r *rand.Rand) int { return r.IntN(200) }, 1700},
		"bytes": {codec.Limits{Frames: 2000, FrameBurst: 8000, Bytes: 100 << 10, ByteBurst: 400 << 10},
			func(*rand.Rand) int { return 10 << 10 }, 8},
		"few":                   {codec.Limits{Frames: 2, FrameBurst: 8}, func(r *rand.Rand) int { return 1 }, 1.6},
		"one":                   {codec.Limits{Frames: 1, FrameBurst: 1}, func(r *rand.Rand) int { return 1 }, 0.25},
		"the burst is a second": {codec.Limits{Frames: 100, FrameBurst: 100}, func(r *rand.Rand) int { return 1 }, 40},
		"one message is more than the room": {codec.Limits{Bytes: 20 << 10, ByteBurst: 70 << 10},
			func(*rand.Rand) int { return 64000 }, 0.2},
	} {
		for seed := range uint64(4) {
			stalls := seed%2 == 1
			t.Run(fmt.Sprint(name, ", stalls ", stalls), func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 2))
				r := newRig(t, Config{})
				r.now += time.Duration(random.IntN(1000)) * time.Millisecond
				r.start()
				r.connected()
				server := &bouncer{limits: c.limits, second: bouncerSecond(r.now)}
				server.takes(r.now, 200) // HELLO
				r.welcome(codec.WelcomeMessage{Terms: testTerms, Limits: c.limits})
				var way []int // the sizes of frames on their way
				untaken, sent, stall := 0, 0, time.Duration(0)
				began, seen := r.now, len(r.frames)
				arrive := func() {
					for _, n := range way {
						if !server.takes(r.now, n) {
							t.Fatalf("cut off after %v with %d messages: %+v", r.now-began, sent, *server)
						}
					}
					way, untaken = way[:0], 0
				}
				const run = 40 * time.Second
				for r.now-began < run {
					n := c.size(random)
					wait := r.l.Pace(r.now, n)
					if wait > 0 {
						r.l.Flow(r.now, 1, Flow{Untaken: untaken})
						wait = r.l.Pace(r.now, n)
					}
					if wait == 0 {
						r.post(strings.Repeat("x", n)) // the window is another matter
						sent++
					} else {
						r.now += wait
					}
					r.now += 20 * time.Microsecond
					r.l.Tick(r.now, &r.out)
					r.settle()
					for ; seen < len(r.frames); seen++ {
						size := len(r.frames[seen].Payload) + codec.Overhead
						way, untaken = append(way, size), untaken+size
						if r.frames[seen].Type == codec.Ping { // its PONG does not wait for the way up
							r.receive(codec.AppendPong(nil, codec.PongMessage{Token: 1 << 40, Terms: testTerms}))
						}
					}
					if stall < r.now {
						arrive()
						if stalls && random.IntN(3000) == 0 {
							stall = r.now + time.Duration(random.IntN(7000))*time.Millisecond
						}
					}
				}
				arrive()
				if rate := float64(sent) / run.Seconds(); rate < c.rate && !stalls {
					t.Errorf("%.1f messages a second, want at least %g", rate, c.rate)
				}
			})
		}
	}
}

func TestSendBeyondThePaceIsRefused(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Limits: codec.Limits{Frames: 10, FrameBurst: 40}})
	var err error
	sent := 0
	for ; err == nil && sent < 100; sent++ {
		_, err = r.l.Send(r.now, nil, &r.out)
	}
	r.settle()
	if !errors.Is(err, ErrPaced) || sent != 30 {
		t.Fatalf("message %d: %v, want ErrPaced after HELLO and 29", sent, err)
	}
	for i := range uint64(200) { // answers cost nothing
		r.l.Ack(r.now, 1, codec.AckOf(i), &r.out)
		r.settle()
	}
	r.receive(codec.AppendAck(nil, codec.AckOf(29))) // so the server has read all
	r.now += r.l.Pace(r.now, 0)
	if _, err := r.l.Send(r.now, nil, &r.out); err != nil {
		t.Errorf("Send at the time that Pace told = %v", err)
	}
	r.now += 10 * time.Second
	r.receive(codec.AppendAck(nil, codec.AckOf(30)))
	r.now += 10 * time.Second
	if wait := r.l.Pace(r.now, 0); wait != 0 {
		t.Errorf("a wait of %v after a silence", wait)
	}
	r.disconnected(errReset, false)
	r.ready(testTerms) // which tells no limits
	for range 1000 {
		r.post("x")
	}
}

// What cannot pass is an error and not a session that ends.
func TestWhatTheServerDoesNotTakeIsAnErrorOfSend(t *testing.T) {
	r := newRig(t, Config{MaxPayload: 100 << 10})
	if err := r.l.Fits(100<<10 - 7); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "102393 bytes, 102392") {
		t.Errorf("before any session: %v", err)
	}
	if err := r.l.Fits(100<<10 - 8); err != nil {
		t.Errorf("before any session: %v", err)
	}
	r.start()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Limits: codec.Limits{MaxSend: 20 << 10}})
	r.send(string(make([]byte, 20<<10-8)))
	if _, err := r.l.Send(r.now, make([]byte, 20<<10-7), &r.out); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "20473 bytes, 20472") {
		t.Errorf("Send = %v", err)
	}
	r.disconnected(errReset, false)
	if err := r.l.Fits(20<<10 - 7); !errors.Is(err, ErrTooLarge) {
		t.Errorf("between sessions the latest limit does not hold: %v", err)
	}
	r.tick()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Limits: codec.Limits{MaxSend: 200 << 10}})
	if err := r.l.Fits(100<<10 - 8); err != nil {
		t.Errorf("the client's own limit: %v", err)
	}
	if _, err := r.l.Send(r.now, make([]byte, 100<<10-7), &r.out); !errors.Is(err, ErrTooLarge) {
		t.Errorf("the client's own limit does not hold: %v", err)
	}
}

// Limits change by PONG, as terms do: looser ones at once, and tighter ones are answered.
func TestPongBringsLimits(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	r.connected()
	limits := codec.Limits{MaxSend: 20 << 10, Frames: 10, FrameBurst: 40}
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Limits: limits})
	pong := func(m codec.Limits) {
		terms := testTerms
		terms.Number = 7
		r.now += time.Second
		r.receive(codec.AppendPong(nil, codec.PongMessage{Terms: terms, Limits: m}))
	}
	pings := 0
	for _, c := range []struct {
		told codec.Limits
		want int // bytes of the largest body
		ping bool
	}{
		{codec.Limits{}, 20<<10 - 8, false},
		{codec.Limits{MaxSend: 30 << 10, Frames: 20, FrameBurst: 40}, 30<<10 - 8, false},
		{codec.Limits{MaxSend: 10 << 10, Frames: 20, FrameBurst: 40}, 10<<10 - 8, true},
		{codec.Limits{MaxSend: 10 << 10, Frames: 5, FrameBurst: 40}, 10<<10 - 8, false}, // the PING before is not answered
	} {
		pong(c.told)
		if r.l.Fits(c.want) != nil || r.l.Fits(c.want+1) == nil {
			t.Errorf("%+v: a body of %d bytes: %v, of one more: %v", c.told, c.want, r.l.Fits(c.want), r.l.Fits(c.want+1))
		}
		if c.ping {
			pings++
			if f := r.frames[len(r.frames)-1]; f.Type != codec.Ping {
				t.Errorf("%+v: the last frame is %s, want PING", c.told, f.Type)
			} else if _, number, _ := codec.ParsePing(f.Payload); number != 7 {
				t.Errorf("the PING tells terms %d, want 7", number)
			}
		}
		if n := r.count(PingSent); n != pings {
			t.Errorf("%+v: %d PINGs, want %d", c.told, n, pings)
		}
	}
}
