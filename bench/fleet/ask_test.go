package fleet

import (
	"sync/atomic"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// asked is a member that notes how many of them are asked at the same time, and answers when it is let.
type asked struct{ all *asking }

type asking struct {
	now, most atomic.Int64
	let       chan struct{}
}

func (a asked) do(swarm.Order) (swarm.Answer, error) {
	now := a.all.now.Add(1)
	for most := a.all.most.Load(); now > most && !a.all.most.CompareAndSwap(most, now); most = a.all.most.Load() {
	}
	<-a.all.let
	a.all.now.Add(-1)
	return swarm.Answer{Ready: 1}, nil
}

func (asked) use() proc.Use { return proc.Use{} }

func (asked) close() {}

// mostAtOnce is how many of n members are under way at the same time when nobody answers before there are so many, or all
// that are left.
func mostAtOnce(t *testing.T, n, together int, ask func(*Fleet)) int {
	t.Helper()
	all := &asking{let: make(chan struct{})}
	f := &Fleet{latest: make([]swarm.Answer, n)}
	for range n {
		f.members = append(f.members, asked{all})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ask(f)
	}()
	for left := n; left > 0; left-- {
		benchtest.WaitFor(t, "those who are asked together", func() bool { return all.now.Load() >= int64(min(together, left)) })
		all.let <- struct{}{}
	}
	<-done
	if f.Peak() != n {
		t.Errorf("%d of %d have answered", f.Peak(), n)
	}
	return int(all.most.Load())
}

// What is to happen at one moment reaches all at once: nobody's answer is waited for before others are told.
func TestAllAreToldAtOnce(t *testing.T) {
	const members = 3 * askedAtOnce
	if most := mostAtOnce(t, members, members, func(f *Fleet) { f.ask(swarm.Order{Op: swarm.Settle}) }); most != members {
		t.Errorf("%d at once, want %d", most, members)
	}
}

func TestWorkersAreAskedForCountsInTurn(t *testing.T) {
	for name, ask := range map[string]func(*Fleet){
		"a second":   func(f *Fleet) { f.Progress() },
		"the counts": func(f *Fleet) { f.refresh() },
	} {
		if most := mostAtOnce(t, 3*askedAtOnce, askedAtOnce, ask); most != askedAtOnce {
			t.Errorf("%s: %d at once, want %d", name, most, askedAtOnce)
		}
	}
}
