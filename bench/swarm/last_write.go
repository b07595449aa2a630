package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
)

// lastWrite is when a client's latest complete frame went to the kernel, kept small: every
// client has one. Times count from the start of the swarm.
type lastWrite struct {
	start     time.Duration // read before write()
	timeoutMs uint32        // what the session's terms said when it was written
	// overdue: a timeout had passed since the frame before it, so the session may have
	// been over by right when it was written.
	overdue bool
	// kept: it was overdue because the client waited so long for the server's answer.
	kept bool
}

// wrote notes a complete frame. The first one of a connection has none before it; its
// timeout is not known until WELCOME says it (setTimeout).
// Until answered, the client had to wait for the server; 0: it had not.
func (w *lastWrite) wrote(start, end, timeout, answered time.Duration) {
	overdue := w.timeoutMs != 0 && end-w.start >= w.timeout()
	*w = lastWrite{start: start, overdue: overdue, kept: overdue && answered-w.start >= w.timeout()}
	w.setTimeout(timeout)
}

func (w *lastWrite) setTimeout(d time.Duration) { w.timeoutMs = uint32(d.Milliseconds()) }

// loosen: a longer timeout holds as soon as it is told, a shorter one from the next frame.
// 0 is none at all.
func (w *lastWrite) loosen(d time.Duration) {
	if d == 0 || w.timeoutMs != 0 && d > w.timeout() {
		w.setTimeout(d)
	}
}

func (w *lastWrite) timeout() time.Duration { return time.Duration(w.timeoutMs) * time.Millisecond }

// judgement is what a close by the server means.
type judgement uint8

const (
	evictedOnTime  judgement = iota // a mute client, at or after its timeout
	evictedEarly                    // a mute client, before it
	evictedFalsely                  // a living client whose frame was there in time
	generatorFault                  // a living client that had in fact been silent for a timeout
	keptWaiting                     // the same, but it was the server that did not answer
)

// judgeClose classifies a close by the server that was seen at `seen`, and gives its
// lateness. Of a living client the caller knows whether it was for silence at all: our nodes
// say so (GOAWAY heartbeat_timeout), and a dead one says nothing.
//
// Both count from before the write: the server cannot have read the frame earlier, so that
// a correct server can never look early or unjust, however the generator is scheduled. A
// living client is wronged if a timeout had not passed since then, and its frame was not
// overdue itself: an overdue one may have met a session that was over by right. In all
// other cases it was our own silence, or a write() that took so long that nobody can tell;
// unless the client said nothing because it waited for the server's answer.
func judgeClose(w lastWrite, mute bool, seen time.Duration) (judgement, time.Duration) {
	lateness := seen - w.start - w.timeout()
	switch {
	case w.timeoutMs == 0 && !mute:
		return evictedFalsely, lateness // a server without a timeout has no cause at all
	case mute && lateness < 0:
		return evictedEarly, lateness
	case mute:
		return evictedOnTime, lateness
	case (w.overdue || lateness >= 0) && w.kept:
		return keptWaiting, lateness
	case w.overdue || lateness >= 0:
		return generatorFault, lateness
	default:
		return evictedFalsely, lateness
	}
}

// judge counts the close of a session by its server. said: it is for silence, as the server
// told, or as nothing else can be meant. A living client that was closed without a word may
// have lost its server: a loss, unless it had been silent itself.
func (l *loop) judge(c *client, mute, said bool) {
	n := &l.counted
	w := c.last
	w.kept = w.kept || c.flags.has(flagAsked) && !w.overdue
	verdict, lateness := judgeClose(w, mute, l.now)
	switch verdict {
	case evictedFalsely:
		if said {
			n.Falsely++
		}
		return
	case generatorFault:
		n.Faults++
		return
	case keptWaiting: // a loss, and an answer that is missing
		return
	case evictedEarly:
		n.Early++
	}
	n.Observed++
	l.lateness.Record(lateness)
	tally.RecordRecent(l.recent.Lateness, lateness)
}
