package reactor

import "time"

// The limits of the protocol's server half that nobody configures.
const (
	// maxSlots is how many connections a loop may have: what a handle has room for.
	maxSlots = 1 << 24
	// MaxTimeoutTicks is the longest Timeout, in ticks: the longest ttl of the wheel that passes.
	MaxTimeoutTicks = 1<<24 - 2
	// MaxRate is the largest MaxFrameRate and MaxByteRate: four seconds' worth is counted in 32 bits.
	MaxRate = 1 << 28
	// burstSeconds is how much of its rate a connection may use at once.
	burstSeconds = 4

	// lingerTime is how long a farewell waits for the peer to read it, and lingerBytes how much
	// input it discards meanwhile.
	lingerTime  = 2 * time.Second
	lingerBytes = 64 << 10
	// minProgress is what a peer must send of an unfinished frame in each PartialTimeout, and
	// take of what is sent to it in each WriteTimeout.
	minProgress = 4 << 10
	// supersededTime is how long a session stays after a later attempt of its process was welcomed.
	supersededTime = 2 * time.Second
	// maxExcuses is how often in a row an eviction waits for bytes that the kernel holds.
	maxExcuses = 2
	// maxQuiet is how long nothing may be written to a session whose bytes arrive, a quarter of
	// the interval at most.
	maxQuiet = 3 * time.Second
	// maxPatience is the longest that clients are asked to wait for a PONG.
	maxPatience = time.Minute
	// maxUnsettled is how many SENDs a client may have that are not settled: the protocol's window.
	// It is told, and nobody is held to it but by the rates.
	maxUnsettled = 256
	// passLife is how long a client may show that it had a session.
	passLife = 7 * 24 * time.Hour
	// longest stands for a token that never expires, so that sums of times do not overflow.
	longest = 100 * 365 * 24 * time.Hour
	// sweepEvery is how often a loop looks for those who keep too much when the budget is tight.
	sweepEvery = 250 * time.Millisecond

	// What may wait in one loop's mailbox.
	mailboxPosts = 16 << 10
	mailboxBytes = 16 << 20
	// What one session's posts may be, in one Write, and after how many the clock is asked.
	runBytes = 64 << 10
	runCheck = 64
)
