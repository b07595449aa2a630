package siege

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestEveryEnemyIsContentWithANodeThatEndsItAsItMust(t *testing.T) {
	f := startFake(t, nil)
	each(func(e Enemy) {
		if err := e.Play(t.Context(), &f.Target); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	})
}

// A node that lets enemies stay is found out, and no enemy waits longer than its patience.
func TestEveryEnemyFindsOutANodeThatLetsItStay(t *testing.T) {
	const patience = 400 * time.Millisecond
	f := startFake(t, func(f *fake) { f.lax, f.Patience = true, patience })
	each(func(e Enemy) {
		began := time.Now()
		err := e.Play(t.Context(), &f.Target)
		ends := e.Name == Twin.Name || strings.HasPrefix(e.Name, "reset") // itself
		if (err == nil) != ends {
			t.Errorf("%s: %v", e.Name, err)
		}
		if took := time.Since(began); took > patience+5*time.Second {
			t.Errorf("%s: was patient for %v, want %v", e.Name, took, patience)
		}
	})
}

// A node that ends them too early, too late or for another reason is found out, too.
func TestAnEnemyFindsOutAWrongEnd(t *testing.T) {
	for what, set := range map[string]func(*Target){
		"early":             func(t *Target) { t.HelloTimeout, t.PartialTimeout = time.Minute, time.Minute },
		"tokens are no use": func(t *Target) { t.Token = func(string, time.Time) string { return "wrong" } },
	} {
		f := startFake(t, nil)
		target := &Target{Addr: f.Addr, HelloTimeout: f.HelloTimeout, PartialTimeout: f.PartialTimeout, FrameRate: f.FrameRate, Token: f.Token}
		set(target)
		for _, e := range []Enemy{SlowFrame, HalfFrame} {
			if err := e.Play(t.Context(), target); err == nil {
				t.Errorf("%s: %s is content", what, e.Name)
			}
		}
	}
	f := startFake(t, nil)
	if err := Says("other code", codec.CodeRateLimit, Unknown).Play(t.Context(), &f.Target); err == nil || !strings.Contains(err.Error(), "GOAWAY") {
		t.Errorf("told another code than it must: %v", err)
	}
}

// each is all at once: most of what an enemy takes is waiting.
func each(play func(Enemy)) {
	var wg sync.WaitGroup
	for _, e := range All {
		wg.Go(func() { play(e) })
	}
	wg.Wait()
}

func TestWhoeverCallsOffAnEnemyIsNotKeptWaiting(t *testing.T) {
	f := startFake(t, func(f *fake) { f.lax = true })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	each(func(e Enemy) {
		if err := e.Play(ctx, &f.Target); err == nil && e.Name != Twin.Name && !strings.HasPrefix(e.Name, "reset") {
			t.Errorf("%s: is content", e.Name)
		}
	})
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestEveryEnemyHasANameAndIsInTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "//", " ")), " ")
	seen := make(map[string]bool)
	for _, e := range All {
		kind := strings.TrimSuffix(strings.TrimSuffix(e.Name, " first"), " later")
		if seen[e.Name] || !strings.Contains(doc, kind) {
			t.Errorf("%q is there twice, or not in doc.go", e.Name)
		}
		seen[e.Name] = true
	}
}

func TestACrowdThatIsServedFaresWell(t *testing.T) {
	f := startFake(t, patient)
	c := Gather(t.Context(), &f.Target)
	c.until(t, "all have spoken and somebody came", func() bool { return len(c.trips) >= CrowdSize && c.newcomers > 0 })
	fared := c.Leave()
	if err := fared.Fault(); err != nil || fared.Trips < CrowdSize || fared.Newcomers == 0 {
		t.Errorf("%v: %v", err, fared)
	}
}

func TestACrowdTellsWhomItLost(t *testing.T) {
	f := startFake(t, func(f *fake) { patient(f); f.loses = true })
	c := Gather(t.Context(), &f.Target)
	c.until(t, "all are lost", func() bool { return len(c.lost) >= CrowdSize })
	if fared := c.Leave(); len(fared.Lost) != CrowdSize || fared.Fault() == nil {
		t.Errorf("all %d were lost, but %d are told of: %v", CrowdSize, len(fared.Lost), fared.Fault())
	}
	f.listen.Close()
	c = Gather(t.Context(), &f.Target)
	if fared := c.Leave(); len(fared.Lost) < CrowdSize {
		t.Errorf("nobody could join, but %d of %d are told of", len(fared.Lost), CrowdSize)
	}
}

// until waits for what a crowd has met so far.
func (c *Crowd) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	met := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return ok()
	}
	for end := time.Now().Add(time.Minute); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20s: %s", what)
		}
	}
}

func TestAnAssaultIsAsLongAsToldAndLosesNobody(t *testing.T) {
	f := startFake(t, patient)
	began := time.Now()
	fared, came := Assault(t.Context(), &f.Target, 500*time.Millisecond)
	if len(fared.Lost) > 0 || came < comrades*len(All) {
		t.Errorf("%d enemies came beside %v; lost %q", came, fared, fared.Lost)
	}
	// What is under way when it is over has a patience of its own.
	if took := time.Since(began); took > defaultPatience+5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestARushKeepsWhoGotInAndCountsTheOthers(t *testing.T) {
	f := startFake(t, patient)
	r := Rush(t.Context(), &f.Target, 200, 16)
	if len(r.In) != 200 || len(r.Refused)+len(r.Failed) != 0 {
		t.Errorf("%d in, %v refused, %q failed", len(r.In), r.Refused, r.Failed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		longest, err := Beat(ctx, r.In[:100], 20*time.Millisecond)
		if longest < 20*time.Millisecond {
			t.Errorf("nobody was silent for longer than %v", longest)
		}
		done <- err
	}()
	for end := time.Now().Add(time.Minute); f.pings.Load() < 300 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("beat: %v", err)
	}
	for _, p := range r.In[100:] {
		p.Close()
	}
	f.Token = func(string, time.Time) string { return "wrong" }
	refused := Rush(t.Context(), &f.Target, 20, 16)
	f.listen.Close()
	if failed := Rush(t.Context(), &f.Target, 20, 16); refused.Refused[codec.CodeUnauthorized] != 20 || len(failed.Failed) != 20 {
		t.Errorf("want 20 unauthorized, then 20 that nobody answers: %+v, %+v", refused, failed)
	}
}

func TestTheApplicationPushesToWhoAsksForIt(t *testing.T) {
	var a App[codec.SessionID]
	var stalled, sunk atomic.Int64
	sink := codec.SessionID{Epoch: 1, Handle: 7}
	a.Opened("stall-1", codec.SessionID{}, func([]byte) { stalled.Add(1) })
	a.Opened("sink-1", sink, func([]byte) { t.Error("a sink is delivered to before it is open") })
	a.Opened("good-1", codec.SessionID{}, func([]byte) { t.Error("a good client is pushed to") })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.Push(ctx, func(to codec.SessionID, _ []byte) {
		if to != sink {
			t.Errorf("pushed to %v", to)
		}
		if sunk.Add(1) == 3 {
			cancel()
		}
	})
	if stalled.Load() == 0 || sunk.Load() == 0 {
		t.Errorf("%d bodies for who stalls, %d for the sink", stalled.Load(), sunk.Load())
	}
	a.Closed(sink)
	gone, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	a.Push(gone, func(codec.SessionID, []byte) { t.Error("pushed to a session that has ended") })
}

func TestTermsThatAreToldUnaskedAreNoAnswer(t *testing.T) {
	for token, ok := range map[uint64]bool{0: true, 7: false} {
		p := &Peer{buf: codec.AppendDeliver(codec.AppendPong(nil, codec.PongMessage{Token: token}), 1, []byte("hello"))}
		if err := p.Want(codec.Deliver); (err == nil) != ok {
			t.Errorf("a PONG of token %d before what is wanted: %v", token, err)
		}
	}
}
