package link

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// pipe is a session over a link of which every byte is seen: what is written waits until the
// server's kernel takes it, what the server says comes a bit at a time.
type pipe struct {
	*rig
	up, down func(since time.Duration) float64 // bytes a second
	room     float64                           // what the server's kernel takes in all; 0: anything
	dead     time.Duration                     // when the server stops to read and to answer; 0: never
	lag      time.Duration                     // from when its kernel has a PING to the PONG
	each     func(since time.Duration)         // what the client does, every step

	began   time.Duration
	frames  int // of rig.frames, counted in written
	written float64
	taken   float64
	pings   []float64       // where unanswered ones end in what is written
	echoes  bool            // the server sends back what it gets
	sends   []float64       // where those that are to be sent back end
	sizes   []int           // of those
	pinged  time.Duration   // when the latest PING was taken by the server's kernel
	answers []time.Duration // when PONGs are due
	coming  []byte          // from the server, not here yet
	here    []byte          // of a frame whose end is missing
	credit  float64         // of a byte
	silent  time.Duration   // the longest time in which nothing was written
}

const pipeStep = 10 * time.Millisecond

func newPipe(t testing.TB, timeout time.Duration) *pipe {
	p := &pipe{rig: newRig(t, Config{PongTimeout: timeout}), lag: min(timeout/3, time.Second)}
	p.ready(codec.Terms{Interval: 2 * time.Second, Timeout: time.Minute})
	p.began, p.frames = p.now, len(p.rig.frames)
	fast := func(time.Duration) float64 { return 10e6 }
	p.up, p.down, p.each = fast, fast, func(time.Duration) {}
	return p
}

// run goes on for d, or until the session ends, and returns for how long it did.
func (p *pipe) run(d time.Duration) time.Duration {
	p.t.Helper()
	for p.now-p.began < d && p.l.State() == StateReady {
		p.now += pipeStep
		since := p.now - p.began
		p.each(since)
		p.settle()
		p.takes(since)
		p.says(since)
		p.silent = max(p.silent, p.now-p.l.heartbeat.wrote)
		if p.l.State() == StateReady && p.l.Deadline() <= p.now {
			p.flow = Flow{Untaken: int(p.written - p.taken + 0.999), Partial: len(p.here)}
			p.look()
			p.l.Tick(p.now, &p.out)
			p.settle()
		}
	}
	return p.now - p.began
}

func (p *pipe) takes(since time.Duration) {
	for ; p.frames < len(p.rig.frames); p.frames++ {
		f := p.rig.frames[p.frames]
		p.written += float64(len(f.Payload) + codec.Overhead)
		if f.Type == codec.Ping {
			p.pings = append(p.pings, p.written)
		}
		if f.Type == codec.Send && p.echoes {
			p.sends, p.sizes = append(p.sends, p.written), append(p.sizes, len(f.Payload))
		}
	}
	p.taken = min(p.written, p.taken+p.up(since)*pipeStep.Seconds())
	if p.room > 0 {
		p.taken = min(p.taken, p.room)
	}
	for len(p.pings) > 0 && p.pings[0] <= p.taken+1e-6 {
		p.pings, p.pinged = p.pings[1:], p.now
		if p.dead == 0 || since < p.dead {
			p.answers = append(p.answers, p.now+p.lag)
		}
	}
	for len(p.sends) > 0 && p.sends[0] <= p.taken+1e-6 {
		p.coming = codec.AppendDeliver(p.coming, 1, make([]byte, p.sizes[0]-8))
		p.sends, p.sizes = p.sends[1:], p.sizes[1:]
	}
	for len(p.answers) > 0 && p.answers[0] <= p.now {
		p.answers = p.answers[1:]
		p.coming = codec.AppendPong(p.coming, codec.PongMessage{Token: p.l.heartbeat.token, Terms: p.l.terms})
	}
}

func (p *pipe) says(since time.Duration) {
	p.credit += p.down(since) * pipeStep.Seconds()
	n := min(int(p.credit), len(p.coming))
	p.credit = min(p.credit-float64(n), p.down(since))
	p.here, p.coming = append(p.here, p.coming[:n]...), p.coming[n:]
	consumed, _ := p.l.Received(p.now, p.attempt(), p.here, &p.out)
	p.here = p.here[consumed:]
	p.settle()
}

// at is a rate that does not change.
func at(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

// firstFast is 10,000 bytes a second for 4 s, and then another rate.
func firstFast(then func(time.Duration) float64) func(time.Duration) float64 {
	return func(since time.Duration) float64 {
		if since < 4*time.Second {
			return 10_000
		}
		return then(since)
	}
}

// drips is a byte every d.
func drips(d time.Duration) func(time.Duration) float64 {
	return func(since time.Duration) float64 {
		if since%d < pipeStep {
			return 1 / pipeStep.Seconds()
		}
		return 0
	}
}

// slowWays are ways on which each byte takes its time and none is lost.
func slowWays(timeout time.Duration) map[string]func(*pipe) {
	big := codec.AppendDeliver(nil, 1, make([]byte, 60000))
	return map[string]func(*pipe){
		"up":                    func(p *pipe) { p.up = at(3000); p.send(string(make([]byte, 60000))) },
		"up, at the least rate": func(p *pipe) { p.up = at(450); p.send(string(make([]byte, 20000))) },
		"up, all the time": func(p *pipe) {
			p.up = at(3000)
			p.each = func(time.Duration) {
				if p.written-p.taken < 40000 {
					p.send(string(make([]byte, 8000)))
				}
			}
		},
		"up, in lumps": func(p *pipe) {
			p.up = func(since time.Duration) float64 {
				if since%(timeout*3/4) < pipeStep {
					return 3000 * timeout.Seconds() / pipeStep.Seconds()
				}
				return 0
			}
			p.send(string(make([]byte, 60000)))
		},
		"up, with a pause": func(p *pipe) {
			p.up = func(since time.Duration) float64 {
				if since > 4*time.Second && since < 4*time.Second+timeout*3/4 {
					return 0
				}
				return 3000
			}
			p.send(string(make([]byte, 60000)))
		},
		"down": func(p *pipe) { p.down = at(3000); p.coming = append(p.coming, big...) },
		"down, at the least rate": func(p *pipe) {
			p.down = at(450)
			p.coming = codec.AppendDeliver(nil, 1, make([]byte, 20000))
		},
		"down, begun late": func(p *pipe) {
			p.down, p.lag = at(450), timeout*19/20
			begun := false
			p.each = func(time.Duration) {
				if h := p.l.heartbeat; !begun && h.waiting() && p.now >= h.pingAt+timeout*4/5 {
					begun = true
					p.coming = codec.AppendDeliver(nil, 1, make([]byte, 20000))
				}
			}
		},
		"both": func(p *pipe) {
			p.up, p.down = at(3000), at(3000)
			p.coming = append(p.coming, big...)
			p.send(string(make([]byte, 60000)))
		},
		"there and back": func(p *pipe) {
			p.up, p.down, p.echoes = at(3000), at(3000), true
			p.each = func(since time.Duration) {
				if (since-pipeStep)%(30*time.Second) < pipeStep {
					p.send(string(make([]byte, 60000)))
				}
			}
		},
		"down, while nothing is taken": func(p *pipe) {
			p.down = at(3000)
			p.coming = append(p.coming, big...)
			p.up = func(since time.Duration) float64 {
				if since < 18*time.Second {
					return 0
				}
				return 10e6
			}
		},
	}
}

// Promise 9, the client's half: neither direction's slowness ends a session.
func TestSlowLinkIsNoDeadLink(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, 2 * time.Second, 10 * time.Second, 25 * time.Second} {
		for name, set := range slowWays(timeout) {
			t.Run(fmt.Sprint(name, ", pong timeout ", timeout), func(t *testing.T) {
				p := newPipe(t, timeout)
				set(p)
				if lasted := p.run(2 * time.Minute); p.l.State() != StateReady {
					t.Errorf("the session ended after %v", lasted)
				}
				if p.lag < timeout/2 && p.silent > p.l.terms.Interval+2*pipeStep {
					t.Errorf("silent for %v: the server would evict", p.silent)
				}
				if len(p.coming) > codec.MaxPayload || p.l.heartbeat.heard <= p.began {
					t.Errorf("%d bytes are coming: the test did not test", len(p.coming))
				}
			})
		}
	}
}

// A live kernel is no live server, and bytes that drip are none that move.
func TestDeadServerBehindALiveKernelIsNoticed(t *testing.T) {
	const interval = 2 * time.Second
	busy := func(p *pipe, bytes int) {
		p.each = func(since time.Duration) {
			if since%(100*time.Millisecond) < pipeStep {
				p.send(string(make([]byte, bytes)))
			}
		}
	}
	for _, timeout := range []time.Duration{time.Second, 2 * time.Second, 10 * time.Second} {
		for _, c := range []struct {
			name  string
			set   func(*pipe)
			limit time.Duration // from the beginning; 0: interval + pong timeout from when the kernel took the PING
		}{
			{"stopped", func(p *pipe) { p.dead = 1 }, 0},
			{"stopped, the kernel takes 100 KB", func(p *pipe) { p.dead, p.room = 1, 100e3; busy(p, 1000) }, 0},
			{"stopped, the kernel takes megabytes", func(p *pipe) { p.dead, p.room = 1, 6e6; busy(p, 10000) }, 0},
			{"stopped, the kernel takes 3000 bytes a second", func(p *pipe) {
				p.dead, p.up = 1, at(3000)
				p.send(string(make([]byte, 20000)))
			}, 0},
			{"stopped, a slow kernel, busy", func(p *pipe) {
				p.dead, p.up = 1, at(3000)
				p.send(string(make([]byte, 20000)))
				busy(p, 200)
			}, 0},
			{"stopped, and the kernel is full before the PING", func(p *pipe) {
				p.dead, p.room = 1, 50e3
				p.send(string(make([]byte, 60000)))
			}, interval + timeout + timeout/looks},
			{"half-open", func(p *pipe) { p.dead, p.room = 1, 1e-9 }, interval + timeout},
			{"half-open, busy", func(p *pipe) { p.dead, p.room = 1, 1e-9; busy(p, 500) }, interval + timeout},
			{"half-open in the middle of a slow message", func(p *pipe) {
				p.dead, p.room, p.up = 1, 30e3, at(3000)
				p.send(string(make([]byte, 60000)))
			}, 10*time.Second + 2*timeout + timeout/looks},
			{"a byte is taken each pong timeout", func(p *pipe) {
				p.dead, p.up = 1, drips(timeout*3/4)
				p.send(string(make([]byte, 60000)))
			}, interval + max(2*timeout, leastTime+timeout)},
			{"a byte comes each pong timeout", func(p *pipe) {
				p.dead, p.down = 1, drips(timeout*3/4)
				p.coming = codec.AppendDeliver(nil, 1, make([]byte, 60000))
			}, interval + max(3*timeout, leastTime+2*timeout)},
			{"much is taken at first, and then a byte each pong timeout", func(p *pipe) {
				p.dead, p.up = 1, firstFast(drips(timeout*3/4))
				p.send(string(make([]byte, 60000)))
			}, 4*time.Second + 2*(leastTime+timeout)},
			{"much comes at first, and then a byte each pong timeout", func(p *pipe) {
				p.dead, p.down = 1, firstFast(drips(timeout*3/4))
				p.coming = codec.AppendDeliver(nil, 1, make([]byte, 60000))
			}, 4*time.Second + 2*(leastTime+timeout)},
			{"dies in the middle of what comes", func(p *pipe) {
				p.dead, p.down = 1, at(3000)
				p.coming = codec.AppendDeliver(nil, 1, make([]byte, 60000))[:20000]
			}, 20000/3000*time.Second + interval + 2*timeout},
		} {
			t.Run(fmt.Sprint(c.name, ", pong timeout ", timeout), func(t *testing.T) {
				p := newPipe(t, timeout)
				c.set(p)
				lasted := p.run(3 * time.Minute)
				limit := c.limit
				if limit == 0 {
					limit = p.pinged - p.began + timeout
				}
				if e, _ := p.last(Lost); e.Reason != PongTimeout || lasted > limit+2*pipeStep {
					t.Errorf("%s, lasted %v, want a pong timeout within %v", p.l.State(), lasted, limit)
				}
				if lasted < timeout {
					t.Errorf("noticed after %v, before a pong timeout can be over", lasted)
				}
			})
		}
	}
}

// What the peer's kernel takes behind the PING does not count, and an owner whose writes
// cannot be looked into counts what is taken apart.
func TestOnlyWhatStandsBeforeThePingIsWaitedFor(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.tick() // PING
	pinged := r.now
	untaken := 5000
	for i := int64(1); i <= 3; i++ {
		r.now = r.l.Deadline()
		r.l.Flow(r.now, 1, Flow{Untaken: untaken, Taken: 100 + i}) // a piece in the owner's hands, which shrinks
		r.l.Tick(r.now, &r.out)
	}
	r.send(string(make([]byte, 6000)))
	notYet := r.now
	r.now = r.l.Deadline()
	r.l.Flow(r.now, 1, Flow{Untaken: 6020, Taken: 5104})
	r.l.Tick(r.now, &r.out)
	if due := r.l.Deadline(); due != notYet+10*time.Second {
		t.Errorf("dead %v after the PING, want the pong timeout from when it was taken", due-pinged)
	}
	r.now = r.l.Deadline()
	if !r.l.Asks(r.now, 1) || r.l.Asks(r.now, 2) {
		t.Error("the link does not ask before it gives up")
	}
	r.l.Flow(r.now, 1, Flow{Untaken: 100, Taken: 11000})
	r.l.Tick(r.now, &r.out)
	r.settle()
	r.wantState(StateBackingOff)
}

// Who sees nothing of a write before it is done has the timer start there.
func TestBlindOwnersPingIsWaitedForFromTheEndOfItsWrite(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.tick() // PING
	began := r.now
	for r.flow = (Flow{Untaken: 20000, Blind: true}); r.now < began+95*time.Second; {
		r.now = r.l.Deadline()
		r.look()
		r.l.Tick(r.now, &r.out)
		r.settle()
		r.wantState(StateReady)
	}
	r.flow.Untaken = 0
	done := r.now
	for r.l.State() == StateReady {
		r.tick()
	}
	if r.wantState(StateBackingOff); r.now-done > 10*time.Second || r.now-done < 8*time.Second {
		t.Errorf("dead %v after the write was done, want the pong timeout", r.now-done)
	}
}

// Neither a PONG that comes in time nor an idle session costs a look.
func TestPromptAnswersAreNotLookedFor(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for range 100 {
		r.now = r.l.Deadline()
		if r.l.Asks(r.now, 1) {
			t.Fatal("asks before the PING")
		}
		r.l.Tick(r.now, &r.out)
		r.settle()
		r.now += 10*time.Second/looks - 1
		if r.l.Asks(r.now, 1) {
			t.Fatal("asks before the PONG is late")
		}
		r.answer(testTerms)
	}
}
