package server

import (
	"runtime"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
)

const (
	// awayPatience is how long what has not begun may wait for its turn: a client that is served
	// later has given up.
	awayPatience = 2 * time.Second
	// awayQueue and awayQueueBytes are how many may wait who have not begun, and what they have sent.
	awayQueue      = 8192
	awayQueueBytes = 32 << 20
	// awayBytes is what a connection may have sent while it waits and is not charged for: a
	// ClientHello of 16 KiB, and what may come with the end of a handshake.
	awayBytes = 32 << 10
)

// awayPool does the work of stages that is not for a loop, TLS handshakes, on as many goroutines as
// there are processors; one that has nothing to do ends. Who has begun comes before who has not.
// Any goroutine may use it.
type awayPool struct {
	workers  int
	patience time.Duration // awayPatience; tests shorten it
	mayBegin func() bool   // there is room for something fresh; nil: there always is

	mu      sync.Mutex
	begun   fifo // guarded by mu: work that goes on with what was begun
	fresh   fifo // guarded by mu
	bytes   int  // guarded by mu: of fresh
	running int  // guarded by mu: goroutines
	stopped bool // guarded by mu
	ended   sync.WaitGroup

	// What begins is held to a rate. The times are since base.
	pace  gate.Pace     // guarded by mu; without a gap there is no bound
	slots bool          // guarded by mu: it is that of the second gate's slots, and who begins has one
	due   time.Duration // guarded by mu: when the next may begin
	base  time.Time
	alarm *time.Timer // guarded by mu: looks when it may, if one waits for that

	done    uint64        // guarded by mu: connections whose first work was done
	longest time.Duration // guarded by mu: the longest that one waited for it since the ticker looked
}

// awayJob is work for one connection.
type awayJob struct {
	t      *staged
	handle uint64
	work   func() (then func())
	fresh  bool
	came   time.Time
	bytes  int  // that it has sent
	slot   bool // it began at the pace of slots
}

func newAwayPool() *awayPool {
	return &awayPool{workers: runtime.GOMAXPROCS(0), patience: awayPatience, base: time.Now()}
}

// setRate has so many begin a second, half a second's worth at once, 16 at least; 0: there is no bound. slots says
// that each that begins takes a slot of the second gate: then nothing is made up for that was before.
func (p *awayPool) setRate(rate float64, slots bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pace gate.Pace
	if rate > 0 {
		gap := time.Duration(min(float64(time.Second)/rate, float64(time.Hour)))
		pace = gate.Pace{Gap: max(gap, 1), Burst: max(time.Second/2, 15*gap)}
	}
	if pace == p.pace && slots == p.slots {
		return
	}
	now := time.Since(p.base)
	if slots || p.slots {
		p.due = min(max(p.due, now), now+pace.Gap)
	} else {
		p.due = now - pace.Burst
	}
	p.pace, p.slots = pace, slots
	if !p.stopped {
		p.start()
	}
}

// giveBack has n more begin in place of those whose slots nobody used.
func (p *awayPool) giveBack(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.slots || n == 0 || p.stopped {
		return
	}
	p.due -= time.Duration(n) * p.pace.Gap
	p.start()
}

// takesTurn says whether one more may begin now; else look is called when it may. It needs mu.
func (p *awayPool) takesTurn() bool {
	if p.pace.Gap == 0 {
		return true
	}
	next, wait := p.pace.Next(p.due, time.Since(p.base))
	if wait == 0 {
		p.due = next
		return true
	}
	if p.alarm == nil {
		p.alarm = time.AfterFunc(wait, p.look)
	} else {
		p.alarm.Reset(wait)
	}
	return false
}

// submit has a job done. false: too many wait.
func (p *awayPool) submit(j awayJob) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopped:
		return false
	case !j.fresh:
		p.begun.push(j)
	case p.fresh.len() >= awayQueue || p.bytes+j.bytes > awayQueueBytes:
		return false
	default:
		p.fresh.push(j)
		p.bytes += j.bytes
	}
	p.start()
	return true
}

// start starts goroutines for what may be done. It needs mu.
func (p *awayPool) start() {
	for p.running < p.workers {
		j, ok := p.next()
		if !ok {
			return
		}
		p.running++
		p.ended.Go(func() { p.run(j) })
	}
}

// look has done what may be done by now. It is the ticker's and the alarm's.
func (p *awayPool) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start()
}

// run does jobs while there are any.
func (p *awayPool) run(j awayJob) {
	returned := false
	defer func() {
		if !returned { // a callback of the embedder's has ended this goroutine: another takes its place
			j.t.workDone(awayDone{handle: j.handle, then: func() {}})
			p.ended.Go(p.goOn)
		}
	}()
	for {
		waited := time.Since(j.came)
		late := j.fresh && waited > p.patience
		if late {
			j.t.workDone(awayDone{handle: j.handle, late: true})
		} else {
			j.t.workDone(awayDone{handle: j.handle, then: j.work(), fresh: j.fresh, slot: j.slot, waited: waited})
		}
		p.mu.Lock()
		if j.fresh {
			if !late {
				p.done++
			}
			p.longest = max(p.longest, waited)
		}
		var more bool
		if j, more = p.next(); !more {
			p.running--
			p.mu.Unlock()
			returned = true
			return
		}
		p.mu.Unlock()
	}
}

// goOn is run from the next job on.
func (p *awayPool) goOn() {
	p.mu.Lock()
	j, more := p.next()
	if !more {
		p.running--
	}
	p.mu.Unlock()
	if more {
		p.run(j)
	}
}

// next is the next job that may be done. It needs mu.
func (p *awayPool) next() (j awayJob, ok bool) {
	if j, ok = p.begun.pop(); ok {
		return j, true
	}
	if j, ok = p.fresh.first(); !ok {
		return awayJob{}, false
	}
	if late := time.Since(j.came) > p.patience; !late && (p.mayBegin != nil && !p.mayBegin() || !p.takesTurn()) {
		return awayJob{}, false
	}
	p.fresh.pop()
	p.bytes -= j.bytes
	j.slot = p.slots
	return j, true
}

// sample is what the ticker sees since it last looked: if nothing is taken, those who wait do so
// all the same.
func (p *awayPool) sample() gate.Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := p.longest
	p.longest = 0
	if j, ok := p.fresh.first(); ok {
		waited = max(waited, time.Since(j.came))
	}
	return gate.Sample{Taken: p.done, Waited: waited}
}

// waiting is how many have not begun.
func (p *awayPool) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fresh.len()
}

// stop drops what waits, and returns when no work is under way.
func (p *awayPool) stop() {
	p.mu.Lock()
	p.stopped = true
	p.begun, p.fresh = fifo{}, fifo{}
	if p.alarm != nil {
		p.alarm.Stop()
	}
	p.mu.Unlock()
	p.ended.Wait()
}

// fifo is a queue of jobs.
type fifo struct {
	jobs []awayJob
	head int
}

func (q *fifo) len() int { return len(q.jobs) - q.head }

func (q *fifo) push(j awayJob) {
	if q.head > 64 && q.head > len(q.jobs)/2 {
		q.jobs = append(q.jobs[:0], q.jobs[q.head:]...)
		q.head = 0
	}
	q.jobs = append(q.jobs, j)
}

func (q *fifo) first() (j awayJob, ok bool) {
	if q.len() == 0 {
		return awayJob{}, false
	}
	return q.jobs[q.head], true
}

func (q *fifo) pop() (j awayJob, ok bool) {
	if j, ok = q.first(); ok {
		q.jobs[q.head] = awayJob{}
		if q.head++; q.head == len(q.jobs) {
			*q = fifo{}
		}
	}
	return j, ok
}
