package peer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// load has a host tell how it is doing.
func (h *host) load(l Load) {
	h.m.SetLoad(h.time(), l, &h.out)
	h.obey()
}

func TestAlternatesAreLivePeersByFreePlaces(t *testing.T) {
	w := newWorld(t, 1)
	for i, name := range []string{"a", "b", "c", "d"} {
		w.start(Config{Node: name}).load(Load{Sessions: 1000, Places: 1000 << (2 * i), AdmitRate: 1000})
	}
	w.run(3 * time.Second)
	h := w.hosts
	if want := []string{"d:7000", "c:7000", "b:7000"}; !slices.Equal(h[0].terms.Alternates, want) {
		t.Errorf("%v, want %v", h[0].terms.Alternates, want)
	}
	rate := 1000 * (4000./5000 + 16000./17000 + 64000./65000)
	if got := h[0].terms.FailoverRate; got < rate*0.99 || got > rate*1.01 {
		t.Errorf("a rate of %v, want %v", got, rate)
	}
	h[3].kill()
	w.run(5 * time.Second)
	if want := []string{"c:7000", "b:7000"}; !slices.Equal(h[0].terms.Alternates, want) {
		t.Errorf("%v, want %v", h[0].terms.Alternates, want)
	}
	h[2].load(Load{Sessions: 17000, Places: 0, AdmitRate: 1000})
	w.run(3 * time.Second)
	if want := []string{"b:7000", "c:7000"}; !slices.Equal(h[0].terms.Alternates, want) {
		t.Errorf("%v, want %v", h[0].terms.Alternates, want)
	}
	h = w.hosts
	for i := range h { // also where the rate stays as it is
		h[i].load(Load{Places: 10 + 1000*(i&1)})
	}
	w.run(3 * time.Second)
	for i := range h {
		h[i].load(Load{Places: 10 + 1000*(1-i&1)})
	}
	w.run(3 * time.Second)
	if want := []string{"c:7000", "b:7000"}; !slices.Equal(h[0].terms.Alternates, want) {
		t.Errorf("%v, want %v", h[0].terms.Alternates, want)
	}
}

func TestRateOfSurvivors(t *testing.T) {
	w := newWorld(t, 5)
	h := w.cluster(3, Config{})
	h[1].load(Load{Sessions: 1000, Places: 4000, AdmitRate: 1000})
	h[2].load(Load{Sessions: 17000, Places: 0, AdmitRate: 1000})
	w.run(3 * time.Second)
	if got, want := h[0].terms.FailoverRate, 800.; got < want*0.99 || got > want*1.01 {
		t.Errorf("a rate of %v, want %v", got, want)
	}
}

// Each change goes to all clients: what moves a little is not told.
func TestTermsAreSteady(t *testing.T) {
	w := newWorld(t, 2)
	h := w.cluster(4, Config{})
	w.run(time.Second)
	told := 0
	w.trace = func(_ *host, a Action) {
		if a.Op == Retune {
			told++
		}
	}
	for i := range 60 {
		for j, host := range h {
			host.load(Load{Sessions: 10_000 + i*37*(j%2) - i*11, Places: 8192 + (i*j*29)%300 - 150, AdmitRate: 2000})
		}
		w.run(time.Second)
	}
	if told > 3*4 {
		t.Errorf("told %d times", told)
	}
}

func TestClientsOfNodesGoToDifferentPeers(t *testing.T) {
	w := newWorld(t, 3)
	for i := range 12 {
		w.start(Config{Node: fmt.Sprint("n", i)})
	}
	w.run(3 * time.Second)
	first := make(map[string]int)
	for _, h := range w.hosts {
		first[h.terms.Alternates[0]]++
	}
	if len(first) < 5 {
		t.Errorf("the first alternates are %v", first)
	}
}

func TestAlternatesFitAWelcome(t *testing.T) {
	w := newWorld(t, 4)
	for i := range 20 {
		w.start(Config{Node: fmt.Sprint("n", i), Address: fmt.Sprintf("%s%d:7000", strings.Repeat("x", 90), i)})
	}
	told := 0
	w.trace = func(h *host, a Action) {
		if a.Op == Retune && w.now > 3*time.Second {
			told++
		}
	}
	w.run(20 * time.Second)
	if got := strings.Join(w.hosts[0].terms.Alternates, ","); len(got) > maxAlternates || len(got) < 900 {
		t.Errorf("%d bytes of alternates", len(got))
	}
	if told > 0 {
		t.Errorf("told %d times that nothing has changed", told)
	}
}
