package client

import (
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// The types of this package are converted to those of the link, value by value.
func TestStatesAndPoliciesAreThoseOfTheLink(t *testing.T) {
	for s, want := range map[State]link.State{Idle: link.StateIdle, Resolving: link.StateResolving, Connecting: link.StateConnecting,
		Handshaking: link.StateHandshaking, Ready: link.StateReady, BackingOff: link.StateBackingOff, Stopped: link.StateStopped} {
		if link.State(s) != want || s.String() != want.String() {
			t.Errorf("state %d is %q, want %d, %q", s, s, want, want)
		}
	}
	for p, want := range map[Policy]link.Policy{Window: link.Window, Full: link.Full, Equal: link.Equal,
		Decorrelated: link.Decorrelated, Fixed: link.Fixed, Exponential: link.Exponential} {
		if link.Policy(p) != want || p.String() != want.String() {
			t.Errorf("policy %d is %q, want %d, %q", p, p, want, want)
		}
	}
}

// Errors that an application prints say from where they come.
func TestErrorsNameThePackage(t *testing.T) {
	if got := public(&link.RefusedError{Code: codec.NackBusy}).Error(); got != "client: message is refused: busy" {
		t.Errorf("%q", got)
	}
}
