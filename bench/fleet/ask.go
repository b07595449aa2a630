package fleet

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// member is one swarm of a fleet. An error means that it is gone for good.
type member interface {
	do(swarm.Order) (swarm.Answer, error)
	// use is what its process costs beyond this one; zero in this process.
	use() proc.Use
	close()
}

// own is a swarm in this process.
type own struct{ *swarm.Swarm }

func (o own) do(what swarm.Order) (swarm.Answer, error) { return o.Swarm.Do(what), nil }

func (o own) use() proc.Use { return proc.Use{} }

func (o own) close() { o.Swarm.Abandon() }

func (f *Fleet) ready() int {
	n := 0
	for i := range f.latest {
		n += f.latest[i].Ready
	}
	return n
}

// quota is member i's part of count, in proportion to what each member has, such that the
// parts add up; to all that there are, if they are fewer.
func quota(counts []int, count int, i int) int {
	before, all := 0, 0
	for j, n := range counts {
		all += n
		if j < i {
			before += n
		}
	}
	upTo := func(n int) int { return n * min(count, all) / max(all, 1) }
	return upTo(before+counts[i]) - upTo(before)
}

func (f *Fleet) sum() tally.Counters {
	var sum tally.Counters
	for i := range f.latest {
		sum.Add(&f.latest[i].Counters)
	}
	return sum
}

// oneAnswer is what asking one worker may take of a processor, its switches included, without being felt: so
// many workers are not asked more often.
const oneAnswer = 10 * time.Millisecond

// askedAtOnce is how many workers are asked for counts at the same time: where they are many, the answers of all
// would take the processors from those who have a PING to send. What a worker is told to do, all are told at once.
const askedAtOnce = 8

// refresh asks for the counts if the latest are older than those of the loops themselves.
func (f *Fleet) refresh() {
	f.mu.Lock()
	age := max(swarm.PublishEvery, time.Duration(len(f.members))*oneAnswer)
	stale := swarm.Monotonic()-f.counted >= age || len(f.members) == 1
	f.mu.Unlock()
	if stale {
		f.askInTurn(swarm.Order{Op: swarm.Counts})
	}
}

// ask has every member carry out the same order.
func (f *Fleet) ask(o swarm.Order) []swarm.Answer {
	return f.askEach(func(int) swarm.Order { return o })
}

// askEach has every member carry out its order, all at the same time. A lost member's
// answer is empty.
func (f *Fleet) askEach(o func(i int) swarm.Order) []swarm.Answer {
	return f.askSome(len(f.members), o)
}

// askInTurn has every member carry out the same order, askedAtOnce at a time.
func (f *Fleet) askInTurn(o swarm.Order) []swarm.Answer {
	return f.askSome(askedAtOnce, func(int) swarm.Order { return o })
}

// askSome is askEach with so many members at the same time.
func (f *Fleet) askSome(atOnce int, o func(i int) swarm.Order) []swarm.Answer {
	f.mu.Lock()
	members := slices.Clone(f.members)
	f.mu.Unlock()
	answers := make([]swarm.Answer, len(members))
	errs := make([]error, len(members))
	places := make(chan struct{}, atOnce)
	var asking sync.WaitGroup
	for i, m := range members {
		places <- struct{}{}
		asking.Go(func() {
			answers[i], errs[i] = m.do(o(i))
			<-places
		})
	}
	asking.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range answers {
		switch {
		case errs[i] == nil:
			f.latest[i] = swarm.Answer{Counters: a.Counters, Ready: a.Ready, Peak: a.Peak}
		case f.members[i] != member(gone{}):
			f.lost = append(f.lost, fmt.Errorf("worker %d was lost: %w", i+1, errs[i]))
			f.members[i].close()
			f.members[i] = gone{}
			f.latest[i].Ready = 0
		}
	}
	f.counted = swarm.Monotonic()
	if f.storm != nil {
		c := f.sum()
		f.storm.Update(f.counted-f.start, c.StormClients, c.StormBack)
	}
	if len(f.members) == 1 {
		f.peak = f.latest[0].Peak
	} else { // the members' peaks need not be at one time
		f.peak = max(f.peak, f.ready())
	}
	return answers
}

// gone stands for a member that was lost.
type gone struct{}

func (gone) do(swarm.Order) (swarm.Answer, error) { return swarm.Answer{}, errGone }

func (gone) use() proc.Use { return proc.Use{} }

func (gone) close() {}

var errGone = errors.New("it is gone")
