package server

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// ask has the event loop run a turn, unless one is on its way already.
func (l *loop) ask() {
	switch {
	case l.asked.Load() != 0 || !l.asked.CompareAndSwap(0, max(1, int64(l.now()))):
		l.rest.want()
	default:
		l.execute()
	}
}

func (l *loop) execute() {
	if l.el.Execute(context.Background(), l) != nil {
		l.asked.Store(0) // the engine is shutting down
	}
}

// over says whether the time of a part of the turn is over.
func (l *loop) over(part reactor.Part) bool {
	turn := turnTime
	if l.srv.node.Hurry.Load() {
		turn = hurriedTurn
	}
	switch part {
	case reactor.Posts:
		turn = postTime(turn)
	case reactor.LessPosts:
		turn /= 2
	case reactor.Many:
		turn = manyTime(turn, l.behind)
	}
	return l.now()-l.began >= turn
}

// postTime is how much of a turn posts have when nothing else is overdue. The kernel does more in a write than
// that write, now and then: it ends the timers of all that was written in four milliseconds, 800 of them in 0.5 ms. The
// last write of a turn may be such a one, and the turn is over in time all the same. The rests in between cost a
// hundredth of what is written then.
func postTime(turn time.Duration) time.Duration { return turn * 7 / 10 }

// manyTime is how much of a turn publications have that are alone: 0.15 of it, since a PING waits for
// it, and the rests in between, of 5 us, cost a thirtieth of what is written then; or as long as the sockets
// took before it, up to what posts have, so that a loop that is full of heartbeats brings them all the same.
func manyTime(turn, behind time.Duration) time.Duration {
	return max(turn*3/20, min(behind, postTime(turn)))
}

// Run is the turn. gnet runs it after a batch of events, so connections that it closes
// have no event of that batch left; this is the only place where a connection is closed
// from outside its own callback.
//
// Nobody can ask for another turn before this one ends: gnet runs its tasks until
// there are none, and a chain of turns would keep the sockets waiting. So one that has work
// left, or came just after another, is the last until they had theirs (rest.go).
func (l *loop) Run(context.Context) error {
	if watch := reactor.WatchTurns; watch != nil {
		defer watch()()
	}
	l.began = l.now()
	l.tune()
	late := l.began - time.Duration(l.asked.Load())
	l.behind = late
	raise(&l.late, late)
	raise(&l.waited, l.reactor.Waited())
	if l.staged != nil {
		l.staged.lines.Tick(l.began)
		l.staged.resume()
	}
	more := l.reactor.Turn(l.began, late, l.turnOver)
	if l.reactor.AllTold() {
		l.told.Store(true)
	}
	soon := l.began-l.ended < soonAfter
	l.ended = l.now()
	l.publish()
	switch {
	case l.posting(), more && soon:
		l.yield(true)
	case more:
		l.again.Reset(debtDelay)
		l.free()
	case soon:
		l.yield(false)
		l.askForRoom(true)
	default:
		l.free()
		l.askForRoom(true)
	}
	return nil
}

// posting says whether somebody waits for what he has posted, or a stage's work that is done for
// its connection.
func (l *loop) posting() bool {
	return l.reactor.Posting() || l.staged != nil && l.staged.pending()
}

// free has the next turn be asked for by anybody, as he who came while this one ended would have.
func (l *loop) free() {
	l.asked.Store(0)
	if l.posting() {
		l.ask()
	}
}

// publish lets everybody see the counters as they are at the end of a turn.
func (l *loop) publish() {
	c := l.reactor.Counters()
	c.LongestTurn = max(c.LongestTurn, l.ended-l.began)
	l.mu.Lock()
	l.last = Counters(*c)
	l.last.SnapshotAt = l.began
	l.mu.Unlock()
}

// askForRoom has the loop with the longest silent connection send it away, if it must go. At
// the end of a turn it is not this loop that is asked for the next one at once.
func (l *loop) askForRoom(turnEnds bool) {
	index, any := l.srv.node.NeedsRoom()
	switch loops := *l.srv.loops.Load(); {
	case !any || int(index) >= len(loops):
	case turnEnds && loops[index] == l && l.rest.state.Load() == restNot:
		l.again.Reset(debtDelay)
	default:
		loops[index].ask()
	}
}

// raise lets the ticker see d, if it is the largest since it last looked.
func raise(most *atomic.Int64, d time.Duration) {
	if int64(d) > most.Load() {
		most.Store(int64(d)) // what the ticker takes in between is not worth a lock
	}
}

// lateness is how long turns have waited since the ticker last looked, the one that still
// does included.
func (l *loop) lateness(now time.Duration) time.Duration {
	late := time.Duration(l.late.Swap(0))
	if since := l.asked.Load(); since != 0 {
		late = max(late, now-time.Duration(since))
	}
	return late
}

func (l *loop) snapshot() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
