package link

import (
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A server may let a client in for a time only, and tells how long that is. An owner that gets
// fresh tokens is asked for one in time, so that the end costs no reconnect.

// ErrToken is returned by Renew for a token that no PING can carry.
var ErrToken = errors.New("token can not be encoded")

// leastRenewal is the least time between two tokens, whatever the server tells.
const leastRenewal = time.Second

// grant is what the session's server told of its end.
type grant struct {
	ends  time.Duration // 0: it has none, as far as the link knows
	renew time.Duration // when the owner is to be asked for another token; only with an end
}

// setGrant notes that the session may last so long from now; zero says nothing new.
func (l *Link) setGrant(now, left time.Duration) {
	switch {
	case left <= 0:
	case left > Never-now: // codec.NeverExpires among them
		l.grant = grant{}
	default:
		l.grant.ends = now + left
		l.drawRenewal(now)
	}
}

// drawRenewal draws when to ask for a token: U(0.7, 0.9) of what is left. Those who came together
// do not renew together, and one that is not answered can be repeated.
func (l *Link) drawRenewal(now time.Duration) {
	g := &l.grant
	g.renew = Never
	left := g.ends - now
	if !l.cfg.FreshTokens || left <= leastRenewal {
		return // there cannot be another in time
	}
	g.renew = now + max(left/10*7+l.rng.below(left/5), leastRenewal)
}

// renewDue is when to ask for a token.
func (l *Link) renewDue() time.Duration {
	if l.grant.ends == 0 || l.State() != StateReady {
		return Never
	}
	return l.grant.renew
}

// tickGrant asks for one, and draws when to ask again, in case nothing comes of it.
func (l *Link) tickGrant(now time.Duration, out *Out) {
	if now < l.renewDue() {
		return
	}
	l.drawRenewal(now)
	out.notify(Event{Kind: Expiring, Attempt: l.current().attempt, At: l.grant.ends})
}

// Renew sends a new token, which is not kept, to the server of the session of that attempt, that
// of the event Expiring; if the session has ended or moved since, nothing happens: it has another
// grant. The server tells a new end if the token is good, and nothing otherwise. One that is out of
// bounds is ErrToken.
func (l *Link) Renew(now time.Duration, attempt uint32, token []byte, out *Out) error {
	if len(token) > codec.MaxToken {
		return fmt.Errorf("%w: %d bytes, %d are allowed", ErrToken, len(token), codec.MaxToken)
	}
	c := l.current()
	switch {
	case c.attempt != attempt || l.State() != StateReady || len(token) == 0:
	case l.heartbeat.waiting():
		l.sayPing(now, now, c, token, out) // what is waited for stays as it is
	default:
		l.ping(now, now, c, token, out)
	}
	return nil
}
