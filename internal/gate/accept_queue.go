package gate

import "time"

const (
	// MinBacklog lets a loop that serves next to nobody find out that it can do more.
	MinBacklog = 16
	// UsualBacklog is what may wait for a loop of which nothing is known yet.
	UsualBacklog = 1024
	// MaxBacklog is the most that is asked for; what the system does not allow, it cuts.
	MaxBacklog = 4096

	// longestQueue is how long those may wait who wait for a loop that hardly ever runs: it is
	// below the 5 s that clients have patience for.
	longestQueue = 3 * time.Second
	// shortQueue is how long those wait who wait for a loop that runs often enough: a little more than
	// what says that a node is overloaded, so that it stays so while its queue is full, and no more, since
	// they have waited before. Whoever's SYN, or whose last word of the handshake, finds the queue full
	// comes again each second, and most get in when their clients have little patience left.
	shortQueue = LongWait + LongWait/5
)

// What a loop has to do with a connection out of the queue, and with one whose client has gone. Counted
// alike, those who have gone would make a loop look fast and its queue longer, in which more of them wait.
const (
	CostOfTaken = 2
	CostOfGone  = 1
)

// Backlog is how many connections may wait to be accepted by a loop that took so many in the
// last second. If they are to be few, under overload, it is what the loop takes in shortQueue,
// or between two of its turns, if it is so late that a shorter queue would be empty in between.
// Else it is what it took in the last second, and a crowd at least: what the configured rate
// promises may be ten seconds' work, and its clients would all have gone when they are served.
// Not so in a process that is prompt: thousands come in a moment when another node dies, and
// whoever then finds the queue full comes a second later, when this one would long have taken him.
func Backlog(short, prompt bool, taken float64, late time.Duration) int {
	switch {
	case !short && prompt:
		return MaxBacklog
	case !short:
		return int(min(max(taken, UsualBacklog), MaxBacklog))
	}
	span := min(max(shortQueue, late*3/2), longestQueue)
	return int(min(max(taken*span.Seconds(), MinBacklog), MaxBacklog))
}

// PromptLimit is how late a tick of a prompt process is at most. One that is held for most of the time, by a
// quota or by what else its machine does, shows it by that before anybody comes.
const PromptLimit = 20 * time.Millisecond

// promptFor is how long no tick must have been late.
const promptFor = 2 * time.Second

// Promptness tells a process that runs whenever it wants to from one that does not. It belongs to one
// goroutine.
type Promptness struct {
	Limit time.Duration
	since time.Duration // when a tick was last late
}

// Observe takes how late a tick was.
func (p *Promptness) Observe(now, late time.Duration) {
	if late > p.Limit {
		p.since = now
	}
}

// Prompt is whether ticks have come in time for long enough.
func (p *Promptness) Prompt(now time.Duration) bool { return now-p.since >= promptFor }
