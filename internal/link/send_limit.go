package link

import (
	"fmt"
	"time"
	"unique"

	"github.com/stormwheel/stormwheel/codec"
)

// pacer keeps what a session sends below the limits that its server told, however the
// network bunches it. What the peer's kernel has not taken may arrive all at once, and
// leaks only from when it is taken. A server may refill its own bucket once a second: so a
// second's worth of the burst is left alone. ACKs cost nothing, for they answer, and replies the
// bytes that an ACK has not.
type pacer struct {
	at    time.Duration // of the latest leak
	used  cost          // of what was taken, what the server may still hold against the session
	sent  cost          // of what was not, as far as is known: up to a mark,
	later cost          // and after it
}

// cost is in frames, and in bytes with what surrounds a payload.
type cost struct{ frames, bytes float64 }

func (c *cost) add(o cost) {
	c.frames += o.frames
	c.bytes += o.bytes
}

// share is the part of a rate that a session uses: clocks differ.
const share = 0.95

// bucket is how much of a limit may be in use at once, what of the burst is left alone, and
// how much leaks in a second.
func bucket(perSecond, burst uint32) (room, spare, rate float64) {
	r, b := float64(perSecond), float64(burst)
	if burst == 0 {
		b = r
	}
	spare = min(r, b/2)
	return b - spare, spare, share * min(r, spare)
}

// leak forgets what the server has forgotten by now. It goes on below nothing, as far as the
// spare, when the server has surely forgotten all.
func (p *pacer) leak(now time.Duration, limits codec.Limits) {
	seconds := (now - p.at).Seconds()
	p.at = now
	_, spare, rate := bucket(limits.Frames, limits.FrameBurst)
	p.used.frames = max(-spare, p.used.frames-seconds*rate)
	_, spare, rate = bucket(limits.Bytes, limits.ByteBurst)
	p.used.bytes = max(-spare, p.used.bytes-seconds*rate)
}

// taken says how much of all that was written the peer's kernel has not taken.
func (p *pacer) taken(now time.Duration, untaken int, limits codec.Limits) {
	p.leak(now, limits)
	if float64(untaken) > p.later.bytes {
		return
	}
	moved := p.sent
	p.sent, p.later = p.later, cost{}
	if untaken == 0 {
		moved.add(p.sent)
		p.sent = cost{}
	}
	if moved.frames > 0 {
		p.used.frames = max(p.used.frames, 0) + moved.frames
	}
	if moved.bytes > 0 { // of replies there are bytes only
		p.used.bytes = max(p.used.bytes, 0) + moved.bytes
	}
}

// maxHello is about the longest HELLO, in bytes: it counts, too.
const maxHello = 5 << 10

// lookAgain is when to tell a Flow again, where Send waits for bytes to be taken.
const lookAgain = 10 * time.Millisecond

// wait is how long n more of one kind have to wait, in seconds. What is larger than the
// room goes alone.
func wait(n, used, untaken float64, perSecond, burst uint32) float64 {
	room, spare, rate := bucket(perSecond, burst)
	over := max(used, 0) + untaken + n - room
	if n > room {
		over = used + untaken + spare
	}
	switch {
	case n == 0 || perSecond == 0 || over <= 0:
		return 0
	case untaken > 0 && over > max(used, 0):
		return lookAgain.Seconds()
	default:
		return over / rate
	}
}

// Pace returns how long Send of a body of n bytes has to wait by the limits of the session and
// for what is sent again before it, 0 if it need not. The time is shorter where it depends on
// bytes which the peer's kernel had not taken when Flow was told last: tell it, and ask again.
func (l *Link) Pace(now time.Duration, n int) time.Duration {
	if s := l.sends; s != nil && s.out < len(s.kept) && s.due != Never {
		return max(s.due-now, time.Millisecond)
	}
	return l.pacing(now, n)
}

// pacing is that by the limits of the session alone.
func (l *Link) pacing(now time.Duration, n int) time.Duration {
	return l.paceOf(now, cost{1, float64(n + sendOverhead)})
}

// paceOf is how long a frame of that cost has to wait.
func (l *Link) paceOf(now time.Duration, n cost) time.Duration {
	limits := l.limits.get()
	if l.pace == nil {
		if limits.Frames == 0 && limits.Bytes == 0 {
			return 0
		}
		l.pace = &pacer{at: l.readyAt, used: cost{1, maxHello}}
	}
	p := l.pace
	p.leak(now, limits)
	seconds := max(
		wait(n.frames, p.used.frames, p.sent.frames+p.later.frames, limits.Frames, limits.FrameBurst),
		wait(n.bytes, p.used.bytes, p.sent.bytes+p.later.bytes, limits.Bytes, limits.ByteBurst))
	if seconds == 0 {
		return 0
	}
	return max(time.Duration(seconds*float64(time.Second))+1, time.Millisecond)
}

// spend counts a frame of n bytes in all.
func (l *Link) spend(n int) {
	if l.pace != nil {
		l.pace.later.add(cost{1, float64(n)})
	}
}

// allTaken says that the server has read all that was written.
func (l *Link) allTaken(now time.Duration) {
	if l.pace != nil {
		l.pace.taken(now, 0, l.limits.get())
	}
}

const (
	messageOverhead = 8                                // the number that precedes the body in SEND and DELIVER, in bytes
	sendOverhead    = messageOverhead + codec.Overhead // what a SEND has beside its body, in bytes
)

// Fits returns an ErrTooLarge for a body of n bytes that the link can not send: more than
// it may itself, or than the server of the present or latest session takes.
func (l *Link) Fits(n int) error { return l.fits(n, 0) }

// fits is that for a body with so many bytes before it that are none of the number's.
func (l *Link) fits(n, before int) error {
	limits := l.limits.get()
	most := l.cfg.MaxPayload - messageOverhead
	if limits.MaxSend > 0 {
		most = min(most, int(limits.MaxSend)-messageOverhead)
	}
	if limits.Bytes > 0 && limits.ByteBurst > 0 {
		most = min(most, int(limits.ByteBurst)-sendOverhead)
	}
	most -= before
	if n > most {
		return fmt.Errorf("%w: %d bytes, %d are allowed", ErrTooLarge, n, max(most, 0))
	}
	return nil
}

// told are the limits of a session. The links of a node share them.
type told struct{ handle unique.Handle[codec.Limits] }

func tell(l codec.Limits) told {
	if l == (codec.Limits{}) {
		return told{}
	}
	return told{unique.Make(l)}
}

func (t told) get() codec.Limits {
	if t == (told{}) {
		return codec.Limits{}
	}
	return t.handle.Value()
}

// setLimits obeys limits that a PONG brought. tighter says that the server has to hear of
// it: some hold from the PING that tells that they are applied.
func (l *Link) setLimits(c *conn, m codec.Limits, out *Out) (tighter bool) {
	if m == (codec.Limits{}) {
		return false
	}
	old := l.limits.get()
	if m == old {
		return false
	}
	l.limits = tell(m)
	for _, v := range [...][2]uint32{{m.MaxSend, old.MaxSend}, {m.Frames, old.Frames}, {m.FrameBurst, old.FrameBurst},
		{m.Bytes, old.Bytes}, {m.ByteBurst, old.ByteBurst},
		{m.Unsettled, old.Unsettled}, {m.UnsettledBytes, old.UnsettledBytes}} {
		tighter = tighter || v[0] != 0 && (v[0] < v[1] || v[1] == 0)
	}
	out.notify(Event{Kind: Limited, Attempt: c.attempt})
	return tighter
}
