package link

import (
	"errors"
	"testing"
	"time"
	"unsafe"

	"github.com/stormwheel/stormwheel/codec"
)

func TestLinkIsAFewHundredBytes(t *testing.T) {
	if size := unsafe.Sizeof(Link{}); size > 440 {
		t.Errorf("a Link has %d bytes, want at most 440: the swarm holds hundreds of thousands", size)
	}
}

func TestStatesFromStartToStop(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{"node.example:7000"}})
	r.wantState(StateIdle)
	if d := r.l.Deadline(); d != Never {
		t.Errorf("Deadline of an idle link = %v, want Never", d)
	}
	r.start()
	r.wantState(StateResolving)
	r.l.Resolved(r.now, r.attempt(), nil)
	r.wantState(StateConnecting)
	r.connected()
	r.wantState(StateHandshaking)
	hello, err := codec.ParseHello(r.frames[0].Payload)
	if err != nil || string(hello.ClientID) != "alice-17" || string(hello.Token) != "token" || hello.Attempt != 1 {
		t.Fatalf("HELLO = %+v, %v", hello, err)
	}
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Node: []byte("n1"), Session: codec.SessionID{Epoch: 1, Handle: 2}})
	r.wantState(StateReady)
	if e, ok := r.last(Ready); !ok || e.Node != "n1" || e.Session.Handle != 2 || e.Terms != testTerms {
		t.Errorf("Ready = %+v, %v", e, ok)
	}
	r.l.Stop(r.now, &r.out)
	r.settle()
	r.wantState(StateStopped)
	if f := r.frames[len(r.frames)-1]; f.Type != codec.Bye {
		t.Errorf("last frame %s, want BYE", f.Type)
	}
	if len(r.closed) != 1 || r.l.Deadline() != Never {
		t.Errorf("closed %v, deadline %v", r.closed, r.l.Deadline())
	}
	r.l.Stop(r.now, &r.out)
	r.l.Start(r.now, &r.out)
	if len(r.out.Actions) != 0 {
		t.Errorf("a stopped link wants %+v", r.out.Actions)
	}
}

// A server that reads two HELLOs of one client must know which is the later one, and that it
// is one client and not two with an id.
func TestEveryHelloTellsTheIncarnationAndTheNextAttempt(t *testing.T) {
	seen := map[uint64]bool{}
	for _, base := range []uint64{0, 1, 1 << 63} {
		r := newRig(t, Config{Incarnation: base})
		for want := uint32(1); want <= 3; want++ {
			r.ready(testTerms)
			hello, err := codec.ParseHello(r.frames[len(r.frames)-1].Payload)
			if err != nil || hello.Attempt != want {
				t.Errorf("HELLO = %+v, %v; want attempt %d", hello, err, want)
			}
			if want > 1 && !seen[hello.Incarnation] {
				t.Errorf("attempt %d has an incarnation of its own", want)
			}
			if want == 1 && seen[hello.Incarnation] {
				t.Error("two clients have one incarnation")
			}
			seen[hello.Incarnation] = true
			r.disconnected(errReset, false)
		}
	}
}

func TestLiteralAddressIsNotResolved(t *testing.T) {
	for addr, want := range map[string]State{
		"127.0.0.1:7000": StateConnecting, "[::1]:7000": StateConnecting, "localhost:7000": StateResolving,
	} {
		r := newRig(t, Config{Endpoints: []string{addr}})
		r.start()
		if got := r.l.State(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestEachPhaseHasItsTimeout(t *testing.T) {
	for _, c := range []struct {
		name  string
		enter func(*rig)
		after time.Duration
		want  LossReason
	}{
		{"resolving", func(r *rig) {}, 5 * time.Second, ConnectTimeout},
		{"connecting", func(r *rig) { r.now += 4 * time.Second; r.l.Resolved(r.now, 1, nil) }, 5 * time.Second, ConnectTimeout},
		{"handshaking", func(r *rig) { r.now += 4 * time.Second; r.connected() }, 5 * time.Second, WelcomeTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{Endpoints: []string{"node.example:7000"}})
			r.start()
			c.enter(r)
			if got := r.l.Deadline() - r.now; got != c.after {
				t.Fatalf("deadline after %v, want %v", got, c.after)
			}
			r.l.Tick(r.l.Deadline()-1, &r.out)
			if len(r.out.Actions) != 0 {
				t.Fatalf("a nanosecond early: %+v", r.out.Actions)
			}
			r.tick()
			if e, _ := r.last(Lost); e.Reason != c.want || e.WasReady || !errors.Is(e.Err, ErrTimeout) {
				t.Errorf("Lost = %+v, want %s", e, c.want)
			}
			if len(r.closed) != 1 || r.closed[0] != 1 {
				t.Errorf("closed %v, want attempt 1", r.closed)
			}
		})
	}
}

func TestCallsOfAnOlderAttemptAreDropped(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	old := r.attempt()
	r.disconnected(errors.New("reset"), false)
	r.tick()
	before := r.l
	r.l.Resolved(r.now, old, nil)
	r.l.Connected(r.now, old, nil, &r.out)
	r.l.Disconnected(r.now, old, nil, &r.out)
	r.l.Ack(r.now, old, codec.AckOf(1), &r.out)
	if n, _ := r.l.Received(r.now, old, []byte("whatever"), &r.out); n != 8 {
		t.Errorf("Received of an old attempt took %d bytes, want all 8", n)
	}
	if len(r.out.Actions) != 0 || r.l != before {
		t.Errorf("old attempt changed the link: %+v", r.out.Actions)
	}
	for _, f := range []func(){
		func() { r.l.Connected(r.now, 0, nil, &r.out) },
		func() { r.l.Disconnected(r.now, 0, nil, &r.out) },
	} {
		if f(); len(r.out.Actions) != 0 {
			t.Errorf("attempt 0 did %+v", r.out.Actions)
		}
	}
}

func TestTokenOutOfBoundsCostsTheAttempt(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	r.l.Connected(r.now, r.attempt(), make([]byte, codec.MaxToken+1), &r.out)
	r.settle()
	r.wantState(StateBackingOff)
	if e, _ := r.last(Lost); !errors.Is(e.Err, ErrHello) || len(r.closed) != 1 || r.l.penalties != nil {
		t.Errorf("Lost = %+v, closed %v", e, r.closed)
	}
	r.ready(testTerms)
}

func TestConfigValidateNamesTheField(t *testing.T) {
	good := Config{Endpoints: []string{"a:1"}}
	good.Fill()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Config){
		"Endpoints is empty": func(c *Config) { c.Endpoints = nil },
		`Endpoints: "nonsense" is neither host:port nor unix:path`: func(c *Config) { c.Endpoints = []string{"nonsense"} },
		`Endpoints: "a:0" is neither host:port nor unix:path`:      func(c *Config) { c.Endpoints = []string{"a:0"} },
		"Policy: 99 is unknown":                                    func(c *Config) { c.Policy = 99 },
		"Interval: 1ms is below 100ms":                             func(c *Config) { c.Interval = time.Millisecond },
		"PongTimeout: -1s is not within (0, 1h0m0s]":               func(c *Config) { c.PongTimeout = -time.Second },
		"BackoffMin: 2m0s is above BackoffMax 1m0s":                func(c *Config) { c.BackoffMin = 2 * time.Minute },
		"MaxPayload: 5 is not within [8192, 2147483647]":           func(c *Config) { c.MaxPayload = 5 },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("Validate = %v, want %s", err, want)
		}
	}
}

func TestPolicyNames(t *testing.T) {
	for p := Window; p <= Exponential; p++ {
		if got, err := ParsePolicy(p.String()); err != nil || got != p {
			t.Errorf("ParsePolicy(%q) = %v, %v", p, got, err)
		}
	}
	if _, err := ParsePolicy("windy"); err == nil {
		t.Error("ParsePolicy accepts windy")
	}
}
