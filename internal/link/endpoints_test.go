package link

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestLostEndpointIsAvoidedUntilItsPenaltyDecays(t *testing.T) {
	a, b := "10.0.0.1:1", "10.0.0.2:1"
	for seed := range 50 {
		r := newRig(t, Config{Endpoints: []string{a, b}})
		r.l.rng = rng(seed)
		stable(r)
		r.disconnected(errReset, false)
		r.tick()
		if r.dials[0] == r.dials[1] {
			t.Fatalf("seed %d: went back to the endpoint that was just lost", seed)
		}
		// Both are bad now: the one that failed longer ago is the lesser evil.
		r.now += 30 * time.Second
		r.disconnected(errReset, false)
		r.tick()
		if r.dials[2] != r.dials[0] {
			t.Fatalf("seed %d: went to %s, want %s", seed, r.dials[2], r.dials[0])
		}
		r.ready(testTerms)
		r.now += maxPenalty
		if !r.l.anyFree(r.now) || r.l.penalisedUntil(r.dials[0]) > r.now {
			t.Fatalf("seed %d: penalties do not decay", seed)
		}
	}
}

func TestLocalTroubleBlamesNobody(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	r.disconnected(errReset, true)
	if until := r.l.penalisedUntil("10.0.0.1:7000"); until != 0 {
		t.Errorf("penalised until %v", until)
	}
}

func TestFirstChoiceIsUniform(t *testing.T) {
	cfg := Config{}
	for i := range 5 {
		cfg.Endpoints = append(cfg.Endpoints, fmt.Sprintf("10.0.0.%d:1", i))
	}
	got := map[string]int{}
	for seed := range 5000 {
		r := newRig(t, cfg)
		r.l.rng = rng(seed)
		r.start()
		got[r.dials[0]]++
	}
	for _, addr := range cfg.Endpoints {
		if n := got[addr]; n < 850 || n > 1150 {
			t.Errorf("%s was chosen %d times of 5000, want about 1000", addr, n)
		}
	}
}

func TestAlternatesAreUsedWhenTheListIsBad(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Alternates: []byte("10.0.0.2:7000")})
	r.disconnected(errReset, false)
	r.tick()
	if r.dials[1] != "10.0.0.2:7000" {
		t.Errorf("went to %s, want the alternate", r.dials[1])
	}
}

// A node's neighbours change while it runs: a PONG that nobody asked for names them.
func TestAlternatesOfAPongAreUsedUnlessTheyAreIgnored(t *testing.T) {
	for _, ignore := range []bool{false, true} {
		r := newRig(t, Config{IgnoreAlternates: ignore})
		r.ready(testTerms)
		b, err := codec.AppendAnnouncement(nil, codec.PongMessage{Terms: testTerms, Alternates: []byte("10.0.0.9:7000,nonsense")})
		if err != nil {
			t.Fatal(err)
		}
		r.receive(b)
		r.disconnected(errReset, false)
		r.tick()
		if went := r.dials[len(r.dials)-1]; (went == "10.0.0.9:7000") == ignore {
			t.Errorf("IgnoreAlternates %v: went to %s", ignore, went)
		}
	}
}

func TestHostileServerCanNotGrowTheList(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for i := range 1000 {
		r.l.addAlternates(fmt.Appendf(nil, "10.1.%d.%d:1,10.0.0.1:7000,nonsense,:5,a:99999,host:0,,b", i/256, i%256))
	}
	list := strings.Split(r.l.alternates.String(), ",")
	if len(list) != maxAlternates || list[0] != "10.1.3.231:1" || list[7] != "10.1.3.224:1" {
		t.Errorf("alternates %v, want the newest %d valid ones", list, maxAlternates)
	}
}

func TestLinksShareTheirAlternates(t *testing.T) {
	list := []byte("10.0.0.2:7000,10.0.0.3:7000")
	a, b := newRig(t, Config{}), newRig(t, Config{})
	a.l.addAlternates(list)
	b.l.addAlternates(list)
	if a.l.alternates != b.l.alternates {
		t.Error("two links hold two copies")
	}
	if n := testing.AllocsPerRun(100, func() { a.l.addAlternates(list) }); n != 0 {
		t.Errorf("a list that is known costs %v allocations", n)
	}
}
