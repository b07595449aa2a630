package link

import (
	"errors"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// eventEffect is an event with the fields of its kind, as JSON has them.
func eventEffect(t testing.TB, e *Event) effect {
	m := effect{"do": "tell", "kind": e.Kind.String()}
	if e.Kind != RetryAt && e.Kind != Stopped {
		m["attempt"] = float64(e.Attempt)
	}
	switch e.Kind {
	case Ready, Moved:
		m["session"], m["node"], m["terms"] = e.Session.String(), e.Node, termsEffect(e.Terms)
	case PingSent:
		m["intended"] = toMillis(e.Intended)
	case Pong:
		m["rtt"] = toMillis(e.RTT)
	case Lost:
		m["was_ready"], m["reason"] = e.WasReady, e.Reason.String()
	case GoneAway:
		m["was_ready"], m["code"], m["delay"], m["window"] = e.WasReady, float64(e.Code), toMillis(e.Delay), toMillis(e.Window)
	case Draining:
		m["code"], m["delay"], m["window"] = float64(e.Code), toMillis(e.Delay), toMillis(e.Window)
	case Delivered:
		m["number"], m["wants_reply"], m["body"] = float64(e.ID), e.WantsReply, string(e.Body)
	case Acked:
		m["first"], m["last"], m["what"] = float64(e.ID), float64(e.Last), float64(e.What)
	case Nacked:
		var refused *RefusedError
		if !errors.As(e.Err, &refused) {
			t.Fatalf("nacked with %v", e.Err)
		}
		m["number"], m["body"], m["code"], m["reason"] = float64(e.ID), string(e.Body), float64(refused.Code), refused.Reason
	case Replied, GivenUp:
		m["number"], m["body"] = float64(e.ID), string(e.Body)
	case RetryAt, Expiring:
		m["at"] = toMillis(e.At)
	case Stopped:
		var code *CodeError
		if errors.As(e.Err, &code) {
			m["code"] = float64(code.Code)
		}
	case Termed:
		m["terms"] = termsEffect(e.Terms)
	}
	return m
}

func termsEffect(t codec.Terms) map[string]any {
	return map[string]any{
		"interval": toMillis(t.Interval), "timeout": toMillis(t.Timeout), "window": toMillis(t.Window),
		"patience": toMillis(t.Patience), "number": float64(t.Number),
	}
}
